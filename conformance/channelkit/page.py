"""The report as one HTML page that needs nothing else: no network, no server, no other file."""

import html
import json
from typing import Any

from channelkit.console import LETTERS, requirement_table
from channelkit.verdict import PASS

_MANY, _HEAD = 1500, 16

_STYLE = """
:root { color-scheme: light dark; --line: #8888; --soft: #8882; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: max-content; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { border: 1px solid var(--line); padding: .15rem .5rem; text-align: left; vertical-align: top; }
thead th { position: sticky; top: 0; background: Canvas; }
thead th { z-index: 1; } tbody th { position: sticky; left: 0; background: Canvas; }
td.v { text-align: center; font-variant: small-caps; white-space: nowrap; }
td.v button { all: unset; cursor: pointer; padding: 0 .4rem; }
td.v button:focus-visible { outline: 2px solid; }
/* The Okabe-Ito palette; each verdict also has its own word, so no colour carries meaning alone. */
.pass { background: #009e7333; } .lenient { background: #56b4e955; } .fail { background: #d55e00; color: #fff; font-weight: bold; }
.known { background: #e69f0066; } .fixed { background: #cc79a7; color: #000; font-weight: bold; }
.inconclusive { background: #000; color: #fff; } .unsupported { background: var(--soft); }
pre { background: var(--soft); padding: .6rem; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
dialog { width: min(70rem, 92vw); } .hex { opacity: .65; font-size: .85em; }
.filter { position: sticky; left: 0; } #requirements td:nth-child(2), #cases td:nth-child(2), p { max-width: 60rem; }
input, select { font: inherit; padding: .2rem .5rem; width: 20rem; }
"""

_SCRIPT = """
const data = JSON.parse(document.getElementById('data').textContent);
const titles = Object.fromEntries(data.cases.map((one) => [one.id, one]));
const arrows = {write: 'kit  → ', read: 'kit  ← ', ask: 'ctl  → ', reply: 'ctl  ← ', note: '     · ', step: 'step   '};
const dialog = document.getElementById('detail');
const element = (name, text, kind) => {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
};
function transcript(entries) {
  const pre = element('pre', '');
  for (const entry of entries) {
    pre.append(`${entry.ms.toFixed(1).padStart(9)}  ${arrows[entry.kind]}${entry.text}`);
    if (entry.hex !== undefined) {
      const more = entry.size > entry.hex.length / 2 ? ` … ${entry.size} bytes` : '';
      const handles = entry.descriptors ? ` +${entry.descriptors} fd` : '';
      pre.append(element('span', `  [${entry.hex.replace(/../g, '$& ').trim()}${more}${handles}]`, 'hex'));
    }
    pre.append('\\n');
  }
  return pre;
}
function open(number) {
  const result = data.results[number];
  const about = titles[result.case];
  const parts = [element('h2', `${result.case}, ${result.subject}: ${result.verdict}`), element('p', about.title)];
  for (const rule of result.rules) parts.push(element('p', `${rule} ${data.requirements[rule] || ''}`));
  if (about.guards) parts.push(element('p', `Guards against: ${about.guards}`));
  const flag = result.flag ? ` (${result.flag})` : '';
  const ending = `ending ${result.ending || 'not reached'}`;
  parts.push(element('p', `Outcome ${result.outcome}${flag}, ${ending}, variant ${result.variant}. ${result.text}`));
  parts.push(transcript(result.transcript));
  if (result.stderr) parts.push(element('h3', 'stderr'), element('pre', result.stderr));
  parts.push(element('h3', 'Reproduce'), element('pre', result.reproduce));
  const close = element('button', 'Close');
  close.onclick = () => dialog.close();
  parts.push(close);
  dialog.replaceChildren(...parts);
  dialog.showModal();
}
document.addEventListener('click', (event) => {
  if (event.target.dataset && event.target.dataset.result) open(Number(event.target.dataset.result));
});
const words = document.getElementById('filter');
const verdict = document.getElementById('verdict');
function filter() {
  for (const row of document.querySelectorAll('#cases tbody tr, #requirements tbody tr')) {
    const text = row.textContent.toLowerCase();
    const found = words.value.toLowerCase().split(/\\s+/).every((word) => text.includes(word));
    row.hidden = !(found && (!verdict.value || row.querySelector('td.' + verdict.value)));
  }
}
words.addEventListener('input', filter);
verdict.addEventListener('change', filter);
"""


def render(content: dict[str, Any]) -> str:
    """The page for the content of ``results.json``."""
    node = content["runtimes"]["node"]
    facts = f"{content['started']} · {content['seconds']} s · Node {node or 'absent'} · Python {content['runtimes']['python']}"
    partial = (
        "" if content["complete"] else "<p><strong>The run was interrupted: results are missing.</strong></p>"
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Conformance of NODE_CHANNEL_FD channels</title><style>{_STYLE}</style></head><body>
<h1>Conformance of NODE_CHANNEL_FD channels</h1>
<p>channelkit {_text(content["kit"])} · {_text(facts)} · {_text(content["system"])}</p>{partial}
{_absent(content)}{_subjects(content)}
<p class="filter"><input id="filter" type="search" placeholder="filter rules and cases: words" aria-label="words">
<select id="verdict" aria-label="verdict"><option value="">any verdict</option>{_options()}</select></p>
<h2>Requirements</h2>{_requirements(content)}
<h2>Cases</h2>{_cases(content)}
<dialog id="detail"></dialog>
<script type="application/json" id="data">{_embedded(content)}</script>
<script>{_SCRIPT}</script></body></html>
"""


def _text(value: object) -> str:
    return html.escape(str(value))


def _options() -> str:
    return "".join(f'<option value="{verdict}">{verdict}</option>' for verdict in LETTERS)


def _absent(content: dict[str, Any]) -> str:
    names = ", ".join(f"{name} ({why})" for name, why in content.get("absent", {}).items())
    return f"<p>Not judged, because absent: {_text(names)}</p>" if names else ""


def _embedded(content: dict[str, Any]) -> str:
    """JSON that cannot end the script element it stands in. In a large report what passed keeps the head of its transcript."""
    if len(content["results"]) > _MANY:
        results = [
            {**one, "transcript": one["transcript"][:_HEAD]} if one["verdict"] == PASS else one
            for one in content["results"]
        ]
        content = {**content, "results": results}
    return json.dumps(content).replace("<", "\\u003c")


def _table(head: list[str], rows: list[str], name: str) -> str:
    cells = "".join(f"<th>{_text(title)}</th>" for title in head)
    return f'<table id="{name}"><thead><tr>{cells}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _subjects(content: dict[str, Any]) -> str:
    rows = []
    for one in content["subjects"]:
        who = " ".join(one["implementation"].get(key, "") for key in ("name", "version"))
        counts = ", ".join(f"{number} {verdict}" for verdict, number in one["counts"].items())
        verdict = "conformant" if one["conformant"] else "not conformant"
        cells = (one["name"], who, f"{one['role']}, rung {one['rung']}", verdict, counts, one["command"])
        rows.append("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in cells) + "</tr>")
    return _table(["subject", "implementation", "role", "verdict", "results", "command"], rows, "subjects")


def _requirements(content: dict[str, Any]) -> str:
    names = [one["name"] for one in content["subjects"]]
    rows = []
    for rule, row in requirement_table(content):
        cells = "".join(f'<td class="v {cell}">{_text(LETTERS.get(cell, ""))}</td>' for cell in row)
        rows.append(f"<tr><th>{_text(rule)}</th><td>{_text(content['requirements'][rule])}</td>{cells}</tr>")
    return _table(["id", "requirement", *names], rows, "requirements")


def _cases(content: dict[str, Any]) -> str:
    names = [one["name"] for one in content["subjects"]]
    numbers = {(entry["case"], entry["subject"]): number for number, entry in enumerate(content["results"])}
    rows = []
    for case in content["cases"]:
        cells = "".join(_cell(content, numbers.get((case["id"], name))) for name in names)
        rows.append(
            f"<tr><th>{_text(case['id'])}</th><td>{_text(case['title'])}</td><td>{case['level']}</td>{cells}</tr>"
        )
    return _table(["id", "case", "level", *names], rows, "cases")


def _cell(content: dict[str, Any], number: int | None) -> str:
    if number is None:
        return "<td></td>"
    verdict = content["results"][number]["verdict"]
    label = LETTERS[verdict]
    return f'<td class="v {verdict}"><button data-result="{number}">{_text(label)}</button></td>'
