"""The page of a report in a real Chromium, and the entry that a click on a cell opens."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from channelkit.cli.main import main
from channelkit.limits import Limits
from channelkit.pairs import pairing
from channelkit.pairs.trials import TRIALS
from channelkit.process.session import Plan
from channelkit.report.page import render
from mutants.kill import BASE
from support.browser import Browser, find_chromium
from support.kit import SAMPLE, command

if TYPE_CHECKING:
    from pathlib import Path

PROBE = """
(async () => {
while (!('ready' in document.documentElement.dataset)) await new Promise((done) => setTimeout(done, 20));
const found = {};
const texts = (list) => [...list].map((one) => one.textContent);
const visible = () => [...document.querySelectorAll('#cases tbody tr')].filter((row) => row.offsetHeight > 0).length;
const type = (id, value) => {
  const field = document.getElementById(id);
  field.value = value;
  field.dispatchEvent(new Event(id === 'verdict' ? 'change' : 'input'));
};
const detail = document.getElementById('detail');
const fill = document.createElement('div');
fill.style.height = '3000px';
document.body.append(fill);
found.rows = visible();
type('filter', 'blank');
found.filtered = visible();
type('filter', '');
type('verdict', 'fail');
found.failing = visible();
type('verdict', '');
document.querySelector('#cases td.fail button').click();
found.open = detail.open;
found.headline = detail.querySelector('h2').textContent;
found.detail = detail.textContent;
found.transcript = detail.querySelector('pre').textContent;
detail.querySelector('button').click();
found.closed = !detail.open;
document.querySelector('#requirements td.v button').click();
detail.querySelector('li button').click();
found.fromRule = detail.querySelector('h2').textContent;
detail.close();
document.querySelector('#pairs td.v button').click();
found.trials = detail.querySelectorAll('li').length;
detail.querySelector('li button').click();
found.trial = detail.textContent;
detail.close();
const table = document.getElementById('cases');
scrollTo(0, table.getBoundingClientRect().top + scrollY + 40);
found.stuck = table.querySelector('thead th').getBoundingClientRect().top;
scrollTo(0, 0);
const colours = new Set();
for (const name of ['pass', 'fail', 'known', 'lenient', 'fixed', 'inconclusive']) {
  const cell = document.createElement('td');
  cell.className = 'v ' + name;
  table.append(cell);
  colours.add(getComputedStyle(cell).backgroundColor);
}
found.colours = colours.size;
return found;
})()
"""


@pytest.fixture
def browser() -> str:
    found = find_chromium()
    if found is None:
        pytest.skip("no Chromium here")
    return found


def report(folder: Path) -> dict[str, Any]:
    """A small report with failures and a pair."""
    main(
        [
            "run",
            "--child",
            shlex.join(command("wrong_echo")),
            "--cases",
            str(SAMPLE),
            "--time-scale",
            "0.3",
            "--report",
            str(folder),
        ]
    )
    content: dict[str, Any] = json.loads((folder / "results.json").read_text("utf-8"))
    peer = Plan((*command("right")[:3], str(BASE)), "parent", 3)
    one = pairing.Participant("peer", peer, peer)
    results = [entry for found in pairing.run([one], TRIALS[:2], Limits(3), 1, {}) for entry in found]
    trials = [{"id": trial.id, "title": trial.title, "rules": list(trial.rules)} for trial in TRIALS[:2]]
    content["pairs"] = {"trials": trials, "results": results}
    return content


def test_the_page_works_in_a_browser(browser: str, tmp_path: Path) -> None:
    content = report(tmp_path)
    page = tmp_path / "page.html"
    page.write_text(render(content), "utf-8")
    with Browser(browser) as chromium:
        chromium.resize(1200)
        chromium.open(page)
        seen = chromium.run(PROBE)
    assert seen["rows"] == 2
    assert seen["filtered"] == 1
    assert seen["failing"] >= 1
    assert seen["open"]
    assert seen["closed"]
    assert seen["headline"].startswith("sample-")
    assert "kit  → " in seen["transcript"]
    assert "[7b" in seen["transcript"]
    assert "FRM-" in seen["detail"]
    assert "channelkit run --child" in seen["detail"]
    assert seen["fromRule"].startswith("sample-")
    assert seen["trials"] == 2
    assert "channelkit pair peer peer -k values-down" in seen["trial"]
    assert seen["stuck"] == 0
    assert seen["colours"] == 6
