"""The page of a report: whole in itself, filterable, readable for a machine."""

from __future__ import annotations

import base64
import gzip
import json
import re
import shlex
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from channelkit.cli.main import main
from support.kit import SAMPLE, command

if TYPE_CHECKING:
    from pathlib import Path


class Structure(HTMLParser):
    """Collects start tags and checks that elements are closed in order."""

    VOID = frozenset({"meta", "input", "link", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_in_itself(tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    words = ["--time-scale", "0.3", f"--report=html={target}"]
    main(["run", "--child", shlex.join(command("wrong_echo")), "--cases", str(SAMPLE), *words])
    text = target.read_text("utf-8")
    page = Structure()
    page.feed(text)
    assert page.open == []
    assert not any(name in attributes for _tag, attributes in page.found for name in ("src", "href"))
    ids = [attributes["id"] for _tag, attributes in page.found if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert {"filter", "verdict", "data", "detail", "requirements", "cases"} <= set(ids)
    assert "position: sticky" in text
    embedded = re.search(r'<script type="application/gzip" id="data">(.*?)</script>', text, re.DOTALL)
    assert embedded is not None
    results = json.loads(gzip.decompress(base64.b64decode(embedded[1])))["results"]
    buttons = [attributes for tag, attributes in page.found if tag == "button"]
    opened = [int(one["data-result"] or -1) for one in buttons if "data-result" in one]
    assert set(opened) == set(range(len(results)))
    assert any("data-rule" in one for one in buttons)
