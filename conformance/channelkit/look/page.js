'use strict';
// Only the rows that are in view exist, so a hundred thousand messages scroll like a hundred.
const data = JSON.parse(document.getElementById('data').textContent);
const HEIGHT = 22;
const EXTRA = 10;
const scroll = document.getElementById('scroll');
const rows = document.getElementById('rows');
const detail = document.getElementById('detail');
const form = document.getElementById('filter');
const count = document.getElementById('count');
const [NUMBER, TIME, WAY, KIND, TEXT, COMMAND, SIZE, FDS, ANSWERS, LATENCY, RULES, HEX] = Array(12).keys();
let shown = data.messages;
let chosen = -1;

function options(select, names) {
  for (const name of names) select.add(new Option(name, name));
}

function matches(message, wanted) {
  if (wanted.command && (message[COMMAND] || message[KIND]) !== wanted.command) return false;
  if (wanted.way && message[WAY] !== wanted.way) return false;
  if (wanted.rule === '*' && !message[RULES].length) return false;
  if (wanted.rule && wanted.rule !== '*' && !message[RULES].some((one) => one[0] === wanted.rule)) return false;
  return !wanted.text || message[TEXT].toLowerCase().includes(wanted.text) || message[FDS].some((one) => one.includes(wanted.text));
}

function filter() {
  const wanted = Object.fromEntries(new FormData(form));
  wanted.text = wanted.text.toLowerCase();
  shown = data.messages.filter((message) => matches(message, wanted));
  count.textContent = `${shown.length} of ${data.messages.length} messages`;
  rows.style.height = `${shown.length * HEIGHT}px`;
  draw();
}

function element(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
}

function size(bytes) {
  return bytes < 10000 ? `${bytes} B` : bytes < 1e7 ? `${Math.round(bytes / 1024)} KiB` : `${Math.round(bytes / 1048576)} MiB`;
}

function row(message, at) {
  const made = element('div', `row ${message[WAY]} ${message[KIND]}${message[RULES].length ? ' broken' : ''}${message[NUMBER] === chosen ? ' on' : ''}`);
  made.style.top = `${at * HEIGHT}px`;
  made.append(element('time', '', (message[TIME] / 1e6).toFixed(6)));
  const lane = element('div', 'lane');
  lane.append(element('i'));
  if (message[SIZE]) lane.append(element('b', '', size(message[SIZE])));
  const text = element('div', 'text');
  if (message[RULES].length) text.append(`${[...new Set(message[RULES].map((one) => one[0]))].join(' ')}  `);
  for (const fd of message[FDS]) text.append(element('span', 'fd', `◆ ${fd}  `));
  text.append(message[TEXT]);
  if (message[ANSWERS] >= 0) text.append(`  ↩ #${message[ANSWERS]} after ${(message[LATENCY] / 1000).toFixed(3)} ms`);
  made.append(lane, text);
  made.onclick = () => choose(message);
  return made;
}

function draw() {
  const first = Math.max(0, Math.floor(scroll.scrollTop / HEIGHT) - EXTRA);
  const last = Math.min(shown.length, first + Math.ceil(scroll.clientHeight / HEIGHT) + 2 * EXTRA);
  const made = [];
  for (let at = first; at < last; at++) made.push(row(shown[at], at));
  rows.replaceChildren(...made);
}

function dump(hex) {
  const lines = [];
  for (let at = 0; at < hex.length; at += 32) {
    const part = hex.slice(at, at + 32).match(/../g);
    const text = part.map((pair) => { const code = parseInt(pair, 16); return code > 31 && code < 127 ? String.fromCharCode(code) : '.'; }).join('');
    lines.push(`${(at / 2).toString(16).padStart(6, '0')}  ${part.join(' ').padEnd(47)}  ${text}`);
  }
  return lines.join('\n');
}

function decoded(hex) {
  const text = new TextDecoder().decode(new Uint8Array((hex.match(/../g) || []).map((pair) => parseInt(pair, 16))));
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return null;
  }
}

function link(number) {
  const made = element('a', '', `#${number}`);
  made.href = `#${number}`;
  made.onclick = (event) => { event.preventDefault(); go(number); };
  return made;
}

function choose(message) {
  chosen = message[NUMBER];
  const parts = [element('h2', '', `#${message[NUMBER]} ${message[WAY] === 'up' ? 'child → parent' : 'parent → child'}`)];
  parts.push(element('p', '', `${(message[TIME] / 1e6).toFixed(6)} s, ${message[SIZE]} bytes, ${message[COMMAND] || message[KIND]}`));
  for (const fd of message[FDS]) parts.push(element('p', 'fd', `◆ ${fd}`));
  if (message[ANSWERS] >= 0) {
    const made = element('p', '', 'answers ');
    made.append(link(message[ANSWERS]), ` after ${(message[LATENCY] / 1000).toFixed(3)} ms`);
    parts.push(made);
  }
  const answer = answered.get(message[NUMBER]);
  if (answer !== undefined) {
    const made = element('p', '', 'answered by ');
    made.append(link(answer));
    parts.push(made);
  }
  for (const [rule, level, who, text] of message[RULES]) {
    const made = element('div', 'rule');
    made.append(element('strong', '', `${rule} ${level}, ${who}: ${text}`), element('div', '', data.sentences[rule]));
    for (const death of data.deaths[rule] || []) made.append(element('div', '', death));
    parts.push(made);
  }
  parts.push(element('pre', '', decoded(message[HEX]) || message[TEXT]), element('h3', '', 'bytes'), element('pre', '', dump(message[HEX])));
  if (message[HEX].length / 2 < message[SIZE]) parts.push(element('p', '', `… ${message[SIZE]} bytes in all`));
  detail.replaceChildren(...parts);
  draw();
}

function go(number) {
  let at = shown.findIndex((message) => message[NUMBER] === number);
  if (at < 0) {
    form.reset();
    filter();
    at = number;
  }
  scroll.scrollTop = Math.max(0, at * HEIGHT - scroll.clientHeight / 2);
  choose(shown[at]);
}

function step(by) {
  const at = shown.findIndex((message) => message[NUMBER] === chosen) + by;
  if (shown[at]) go(shown[at][NUMBER]);
}

const answered = new Map(data.messages.filter((message) => message[ANSWERS] >= 0).map((message) => [message[ANSWERS], message[NUMBER]]));
options(form.elements.command, [...new Set(data.messages.map((message) => message[COMMAND] || message[KIND]))].sort());
options(form.elements.rule, [...new Set(data.messages.flatMap((message) => message[RULES].map((one) => one[0])))].sort());
scroll.onscroll = () => requestAnimationFrame(draw);
scroll.onkeydown = (event) => {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (by && chosen >= 0) { event.preventDefault(); step(by); }
};
form.oninput = filter;
form.onsubmit = (event) => event.preventDefault();
onresize = draw;
filter();
