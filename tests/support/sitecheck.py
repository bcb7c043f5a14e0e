"""Judge a site that was built: links, names, and how pages look in a real browser at two widths, dark and light."""

from __future__ import annotations

import html
import importlib
import inspect
import json
import posixpath
import re
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from docsite.pages import OUTPUT
from docsite.reference import public_modules, public_names

from support.browser import dump, find_chromium

SITE = OUTPUT / "html"
WIDTHS = (390, 1280)
THEMES = ("light", "dark")
LOOKED_AT = ("", "start", "spec/handles", "reference/nodechannel", "kit/matrix", "howto/test-handlers")
"""Pages for the browser: one of each kind."""
LEAST_CONTRAST = 4.5
"""Of text, by the guidelines for accessible pages."""
_OPTIONS = ("--allow-file-access-from-files", "--virtual-time-budget=3000")
_PROBE = """
<script>
addEventListener('load', () => {
  document.body.dataset.theme = '%s';
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((x) => x / 255)
      .map((x) => x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const text = getComputedStyle(document.querySelector('article p, article li')).color;
  const ground = getComputedStyle(document.body).backgroundColor;
  const [a, b] = [light(text), light(ground)].sort((x, y) => y - x);
  const out = document.createElement('pre');
  out.id = 'seen';
  out.textContent = JSON.stringify({
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    contrast: (a + 0.05) / (b + 0.05),
    dark: light(ground) < 0.2,
  });
  document.body.append(out);
});
</script>
"""


class _Page(HTMLParser):
    """What a page links, and the places in it that can be linked."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = {"", "top"}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"id", "name"} and value:
                self.places.add(value)
            if name in {"href", "src"} and value and tag != "base":
                self.links.append(value)


def broken_links(site: Path) -> list[str]:
    """Return each link within the site that leads nowhere."""
    pages = {str(path.relative_to(site)): _Page(path.read_text("utf-8")) for path in site.rglob("*.html")}
    found = []
    for name, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path)))
            target = name if not parts.path else target
            if (site / target).is_dir():
                target = posixpath.normpath(f"{target}/index.html")
            known = target in pages and unquote(parts.fragment) in pages[target].places
            if not (known or (target not in pages and (site / target).is_file())):
                found.append(f"{name}: {link}")
    return found


def undocumented() -> list[str]:
    """Return each public name that has no docstring of its own."""
    found = []
    for module in public_modules():
        loaded = importlib.import_module(module)
        for name in public_names(module) if module != "nodechannel.errors" else ():
            value = getattr(loaded, name)
            if (inspect.isclass(value) or inspect.isroutine(value)) and not inspect.getdoc(value):
                found.append(f"{module}.{name}")
    return found


def ugly_pages(site: Path, browser: str) -> list[str]:
    """Return each page that is wider than the window, or whose text is hard to read."""
    found = []
    for page in LOOKED_AT:
        for width in WIDTHS:
            for theme in THEMES:
                seen = _look(site / page / "index.html", browser, width, theme)
                right = (
                    seen["wide"] <= 0
                    and seen["contrast"] >= LEAST_CONTRAST
                    and seen["dark"] is (theme == "dark")
                )
                if not right:
                    found.append(f"/{page} at {width} pixels, {theme}: {seen}")
    return found


def _look(page: Path, browser: str, width: int, theme: str) -> dict[str, float]:
    probed = page.with_name("probed.html")
    probed.write_text(page.read_text("utf-8").replace("</body>", _PROBE % theme + "</body>"), "utf-8")
    try:
        with tempfile.TemporaryDirectory() as profile:
            dumped = dump(browser, probed, Path(profile), *_OPTIONS, f"--window-size={width},900")
    finally:
        probed.unlink()
    seen = re.search(r'<pre id="seen">(.*?)</pre>', dumped)
    if seen is None:
        raise RuntimeError(f"{page}: the browser did not run the page")
    return dict(json.loads(html.unescape(seen[1])))


def main() -> int:
    """Print each fault; return 1 if there is one."""
    faults = [f"broken link: {link}" for link in broken_links(SITE)]
    faults += [f"no docstring: {name}" for name in undocumented()]
    browser = find_chromium()
    if browser is None:
        print("chromium: absent, no page was looked at (Debian: apt-get install chromium)")
    else:
        faults += [f"looks wrong: {page}" for page in ugly_pages(SITE, browser)]
    print("\n".join(faults) or f"{sum(1 for _ in SITE.rglob('*.html'))} pages, no fault")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
