"""The site of the documentation: the assembly of its pages, and the faults that its check finds."""

from __future__ import annotations

import inspect
import re
import sys

import pytest

from support.node import ROOT

sys.path.insert(0, str(ROOT / "pyref" / "docs"))

from docsite.links import BrokenLinkError, Links
from docsite.pages import parts
from docsite.pictures import with_pictures
from docsite.reference import errors_by_module, public_modules, reference_pages
from docsite.rules import Evidence, read_evidence, with_evidence, with_links
from docsite.states import with_states

from support.browser import find_chromium
from support.sitecheck import broken_links, ugly_pages, undocumented

ADDRESSES = {"spec/50-handles.md": "spec/handles", "README.md": "project/readme"}


def test_links_lead_to_pages_and_copies():
    links = Links(ROOT, ADDRESSES)
    text = "[a](spec/50-handles.md#x) [b](LICENSE) [c](https://example.org) `[d](nowhere)`"
    found = links.rewrite(text.replace("`[d](nowhere)`", ""), "README.md", "project/readme")
    assert (
        found.strip() == "[a](../spec/handles.md#x) [b](path:../files/LICENSE.txt) [c](https://example.org)"
    )
    assert links.copied == {"LICENSE"}


@pytest.mark.parametrize("link", ["nowhere.md", "spec"])
def test_a_link_to_no_file_is_an_error(link):
    with pytest.raises(BrokenLinkError, match=r"README\.md"):
        Links(ROOT, ADDRESSES).rewrite(f"[a]({link})", "README.md", "project/readme")


def test_code_is_not_touched():
    text = "```text\n[a](nowhere.md)\n```\n"
    assert Links(ROOT, ADDRESSES).rewrite(text, "README.md", "project/readme") == text


def test_a_rule_has_an_address_and_its_evidence():
    text = "**[HND-001]** A sender MUST.\n\n*Intent:* Because.\n\nNext."
    evidence = {"HND-001": Evidence(["hnd-a"], "`_core/a.py f`", {"node@20": "ok", "deno": "**no**"})}
    found = with_evidence(text, evidence)
    assert (
        found.index('id="HND-001"') < found.index("Because") < found.index("<details") < found.index("Next.")
    )
    assert "<code>hnd-a</code>" in found
    assert 'deno <span class="verdict-no">no</span>' in found
    assert 'node@20 <span class="verdict-ok">ok</span>' in found


def test_a_mention_of_a_rule_is_a_link():
    homes = {"HND-001": "spec/handles"}
    assert with_links("see HND-001", "spec/errors", homes) == 'see <a href="../handles/#HND-001">HND-001</a>'
    assert with_links("see HND-001", "spec/handles", homes) == 'see <a href="#HND-001">HND-001</a>'
    for kept in ("`HND-001`", "# HND-001", "**[HND-001]** A", "UTF-888", "[HND-001](a.md)"):
        assert with_links(kept, "spec/errors", homes) == kept


def test_the_tables_of_evidence_are_read():
    evidence = read_evidence(ROOT)
    assert "hnd-no-descriptor" in evidence["HND-012"].cases
    assert "node@20" in evidence["HND-012"].verdicts
    assert "_receive_handle" in evidence["HND-012"].places


def test_an_exchange_is_drawn():
    page = '```wire hnd-a\n> {"a":1}\\n   + tcp\n< {"b":"<"}\\n\n```\n'
    drawn = with_pictures(page)
    assert drawn.endswith(page)
    assert drawn.count("<path") == 2
    assert "+ descriptor" in drawn
    assert "&lt;" in drawn


def test_a_table_of_states_is_drawn():
    page = "```mermaid\nstateDiagram-v2\n    [*] --> A\n    A --> A: stay\n    A --> B: go\n    B --> A: <back>\n```\n"
    drawn = with_states(page)
    assert "mermaid" not in drawn
    assert (drawn.count("<rect"), drawn.count("<path")) == (2, 2 * 3)
    assert "A to A by stay; A to B by go; B to A by &lt;back&gt;" in drawn


def test_both_tables_of_the_spec_are_drawn():
    page = with_states((ROOT / "spec/60-lifecycle.md").read_text("utf-8"))
    assert page.count("<svg") == 2
    assert "mermaid" not in page


def test_each_page_has_one_address():
    addresses = [address for pages in parts(ROOT).values() for address in pages.values()]
    assert len(addresses) == len(set(addresses))


def test_a_page_that_is_gone_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"start\.md"):
        parts(tmp_path)


def test_every_public_module_has_a_page():
    pages = reference_pages()
    for module in public_modules():
        assert module == "nodechannel.errors" or f"reference/{module}" in pages
    assert "nodechannel doctor" in pages["reference/commands"]
    assert undocumented() == []


ERRORS = [error for errors in errors_by_module().values() for error in errors]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_has_a_cause_and_a_remedy(error):
    own = inspect.cleandoc(vars(error)["__doc__"])
    for section in ("Cause", "Remedy"):
        found = re.search(rf"^{section}:\n((?: {{4}}.*\n?)+)", own, re.MULTILINE)
        assert found, f"{error.__name__} has no {section.lower()}"
        assert found[1].strip().endswith("."), f"the {section.lower()} is no sentence"
    assert error.__name__ in reference_pages()["reference/errors"]


def test_every_variable_of_the_environment_is_explained():
    sources = [
        path.read_text("utf-8")
        for room in ("pyref/nodechannel", "conformance/channelkit")
        for path in (ROOT / room).rglob("*.py")
    ]
    named = set(re.findall(r"\b(?:NODECHANNEL|CHANNELKIT)_[A-Z]+\b", "\n".join(sources)))
    page = (ROOT / "pyref/docs/environment.md").read_text("utf-8")
    assert {name for name in named if f"`{name}`" not in page} == set()


def test_broken_links_of_a_site_are_seen(tmp_path):
    (tmp_path / "page").mkdir()
    (tmp_path / "file.txt").write_text("x")
    (tmp_path / "index.html").write_text(
        '<a href="page/#here">a</a> <a href="file.txt">b</a> <p id="top2">c</p>'
    )
    (tmp_path / "page" / "index.html").write_text('<p id="here"><a href="../#top2">d</a></p>')
    assert broken_links(tmp_path) == []
    (tmp_path / "page" / "index.html").write_text('<a href="../gone/">d</a> <a href="../#nowhere">e</a>')
    assert len(broken_links(tmp_path)) == 3


LOOKS = """<meta name="viewport" content="width=device-width"><style>
:root { color-scheme: light dark }
body { background: Canvas; color: CanvasText }
@media (prefers-color-scheme: dark) { body { background: #222; color: #eee } }
%s</style><p class="a">text<pre>x</pre>"""


@pytest.mark.skipif(find_chromium() is None, reason="no Chromium here")
def test_a_page_that_looks_wrong_is_seen(tmp_path):
    faults = {
        "right": "",
        "wide": "pre { width: 600px }",
        "faint": ".a { color: #999 } @media (prefers-color-scheme: dark) { .a { color: #666 } }",
        "bright": "body { background: #fff !important; color: #000 !important }",
    }
    for name, style in faults.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(LOOKS % style)
    browser = find_chromium()
    assert browser is not None
    found = ugly_pages(tmp_path, browser, faults)
    seen = [(line.split()[0], "390" in line, "dark:" in line) for line in found]
    assert seen == [
        ("/wide", True, False),
        ("/wide", True, True),
        *(("/faint", narrow, dark) for narrow in (True, False) for dark in (False, True)),
        ("/bright", True, True),
        ("/bright", False, True),
    ]
