'use strict';
// Packed: the transcripts of a matrix are many times as long.
const packed = Uint8Array.from(atob(document.getElementById('data').textContent), (one) => one.charCodeAt(0));
const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
const data = await new Response(unpacked).json();
const titles = Object.fromEntries(data.cases.map((one) => [one.id, one]));
const pairs = data.pairs || { trials: [], results: [] };
const trials = Object.fromEntries(pairs.trials.map((one) => [one.id, one]));
const arrows = { write: 'kit  → ', read: 'kit  ← ', down: 'down → ', up: 'up   ← ', ask: 'ctl  → ', reply: 'ctl  ← ', note: '     · ', step: 'step   ' };
const dialog = document.getElementById('detail');

function element(name, text, kind) {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function transcript(entries) {
  const pre = element('pre', '');
  for (const entry of entries) {
    pre.append(`${entry.ms.toFixed(1).padStart(9)}  ${arrows[entry.kind]}${entry.text}`);
    if (entry.hex !== undefined) {
      const more = entry.size > entry.hex.length / 2 ? ` … ${entry.size} bytes` : '';
      const handles = entry.descriptors ? ` +${entry.descriptors} fd` : '';
      pre.append(element('span', `  [${entry.hex.replace(/../g, '$& ').trim()}${more}${handles}]`, 'hex'));
    }
    pre.append('\n');
  }
  return pre;
}

function show(parts) {
  const close = element('button', 'Close');
  close.onclick = () => dialog.close();
  dialog.replaceChildren(...parts, close);
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
}

/** A paragraph in which backticks enclose code. */
function prose(text) {
  const made = element('p', '');
  text.split(/`([^`]+)`/).forEach((part, number) => made.append(number % 2 ? element('code', part) : part));
  return made;
}

/** The end of every kind of detail: the rules, the outcome, the observation, and the command that repeats it. */
function told(result, rules, before) {
  const parts = rules.map((rule) => prose(`${rule} ${data.requirements[rule] || ''}`));
  if (result.listed) parts.push(element('p', `Listed as ${result.listed}`));
  parts.push(...before, transcript(result.transcript));
  if (result.stderr) parts.push(element('h3', 'stderr'), element('pre', result.stderr));
  parts.push(element('h3', 'Reproduce'), element('pre', result.reproduce));
  return parts;
}

function openResult(result) {
  const about = titles[result.case];
  const flag = result.flag ? ` (${result.flag})` : '';
  const outcome = `Outcome ${result.outcome}${flag}, ending ${result.ending || 'not reached'}, variant ${result.variant}. ${result.text}`;
  const before = about.guards ? [prose(`Guards against: ${about.guards}`)] : [];
  if (result.expected) before.push(element('p', `Expected: ${result.expected}`));
  show([
    element('h2', `${result.case}, ${result.subject}: ${result.verdict}`),
    prose(about.title),
    ...told(result, result.rules, [...before, element('p', outcome)]),
  ]);
}

function openTrial(result) {
  const about = trials[result.trial];
  show([
    element('h2', `${result.trial}, ${result.parent} as parent of ${result.child}: ${result.verdict}`),
    element('p', about.title),
    ...told(result, about.rules, [element('p', `Outcome ${result.outcome}. ${result.text}`)]),
  ]);
}

/** A list of results, each of which opens. */
function choose(title, text, results, name, open) {
  const list = element('ul', '');
  for (const result of results) {
    const item = element('li', '');
    const button = element('button', name(result));
    button.onclick = () => open(result);
    item.append(element('span', result.verdict, `v ${result.verdict}`), ' ', button, ` ${result.outcome}`);
    list.append(item);
  }
  show([element('h2', title), element('p', text), list]);
}

function openRule(rule, subject) {
  const results = data.results.filter((one) => one.subject === subject && one.rules.includes(rule));
  choose(`${rule}, ${subject}`, data.requirements[rule] || '', results, (one) => one.case, openResult);
}

function openPair(parent, child) {
  const results = pairs.results.filter((one) => one.parent === parent && one.child === child);
  choose(`${parent} as parent of ${child}`, '', results, (one) => `${one.trial}: ${trials[one.trial].title}`, openTrial);
}

document.addEventListener('click', (event) => {
  const at = event.target.dataset || {};
  if (at.result) openResult(data.results[Number(at.result)]);
  else if (at.rule) openRule(at.rule, at.subject);
  else if (at.parent) openPair(at.parent, at.child);
});

const words = document.getElementById('filter');
const verdict = document.getElementById('verdict');
function filter() {
  for (const row of document.querySelectorAll('#cases tbody tr, #requirements tbody tr, #pairs tbody tr')) {
    const text = row.textContent.toLowerCase();
    const found = words.value.toLowerCase().split(/\s+/).every((word) => text.includes(word));
    row.hidden = !(found && (!verdict.value || row.querySelector('td.' + verdict.value)));
  }
}
words.addEventListener('input', filter);
verdict.addEventListener('change', filter);
filter(); // a browser may bring back what stood there before
document.documentElement.dataset.ready = '';
