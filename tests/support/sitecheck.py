"""Judge a site that was built: links, names, and how pages look in a real browser at two widths, dark and light."""

from __future__ import annotations

import importlib
import inspect
import posixpath
import sys
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from docsite.pages import OUTPUT
from docsite.reference import public_modules, public_names

from support.browser import Browser, find_chromium

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SITE = OUTPUT / "html"
WIDTHS = (390, 1280)
SCHEMES = ("light", "dark")
LOOKED_AT = ("", "start", "spec/handles", "reference/nodechannel", "kit/matrix", "howto/test-handlers")
"""Pages for the browser: one of each kind."""
ABSENT = """\
*** NO PAGE WAS LOOKED AT: this machine has no Chromium, and `make docs-check` could not install it.
*** Install it (Debian: apt-get install chromium) and run the check again; without it, nothing says how the pages look."""
# Faults of the page as its reader has it: how many pixels it is wider than the window, whether its ground is dark, and each text
# that is hard to tell from its ground, by the guidelines for accessible pages (4.5 to 1, large text 3 to 1).
_PROBE = r"""
(() => {
  const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = parts(colour).slice(0, 3).map((x) => x / 255)
      .map((x) => x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((parts(colour)[3] ?? 1) > 0.5) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const faint = {};
  // Elements of the same kind in the same surroundings look the same: a table of a thousand rows is judged by a few cells.
  const judged = new Set();
  const kind = (element) => {
    let found = '';
    for (let at = element, left = 4; at && left; at = at.parentElement, left -= 1) found += `${at.tagName}.${at.className} `;
    return found;
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const text = texts.currentNode.data.trim();
    if (!text || judged.has(kind(element))) continue;
    if (element.closest('script, style, template, svg') || !element.checkVisibility({ visibilityProperty: true })) continue;
    judged.add(kind(element));
    const style = getComputedStyle(element);
    const [a, b] = [light(style.color), light(ground(element))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.6 && style.fontWeight >= 700);
    if (contrast < (large ? 3 : 4.5)) faint[element.className || element.tagName] = `${contrast.toFixed(1)} ${text.slice(0, 30)}`;
  }
  return {
    wider: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    dark: light(getComputedStyle(document.body).backgroundColor) < 0.2,
    faint,
  };
})()
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


def ugly_pages(site: Path, path: str, pages: Iterable[str] = LOOKED_AT) -> list[str]:
    """Return each page that is wider than the window, or has text that is hard to read."""
    found = []
    with Browser(path) as browser:
        for page in pages:
            browser.open(site / page / "index.html")
            for width in WIDTHS:
                browser.resize(width)
                for scheme in SCHEMES:
                    browser.prefer(scheme)
                    seen = browser.run(_PROBE)
                    if seen != {"wider": 0, "dark": scheme == "dark", "faint": {}}:
                        found.append(f"/{page} at {width} pixels, {scheme}: {seen}")
    return found


def main() -> int:
    """Print each fault; return 1 if there is one."""
    faults = [f"broken link: {link}" for link in broken_links(SITE)]
    faults += [f"no docstring: {name}" for name in undocumented()]
    browser = find_chromium()
    if browser is None:
        print(ABSENT, file=sys.stderr)
    else:
        faults += [f"looks wrong: {page}" for page in ugly_pages(SITE, browser)]
    print("\n".join(faults) or f"{sum(1 for _ in SITE.rglob('*.html'))} pages, no fault")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
