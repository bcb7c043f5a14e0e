'use strict';
// Rung C of conformance/README.md: the channel's codec written in plain JavaScript, as a library would do it.
// `codec.cjs decode` and `codec.cjs encode`, for Node, Bun and Deno; exit status 0 accepted, 1 rejected, 3 unsupported.
const fs = require('fs');

const PREFIX = 'NODE_';
const isInternal = (message) => message !== null && typeof message === 'object' && !Array.isArray(message)
  && typeof message.cmd === 'string' && message.cmd.startsWith(PREFIX) && message.cmd.length > PREFIX.length;

/** A value as it travels to the runner: a tag stands for each value that JSON cannot hold. */
function tag(value) {
  if (Object.is(value, -0)) return { $: 'number', v: '-0' };
  if (typeof value === 'number' && !Number.isFinite(value)) return { $: 'number', v: String(value) };
  if (Array.isArray(value)) return value.map(tag);
  if (value === null || typeof value !== 'object') return value;
  const members = Object.keys(value).map((key) => [key, tag(value[key])]);
  if (Object.prototype.hasOwnProperty.call(value, '$')) return { $: 'object', v: members };
  return fromMembers(members);
}

/** An object whose own members these are, `__proto__` included. */
function fromMembers(members) {
  const made = {};
  for (const [key, value] of members) {
    Object.defineProperty(made, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return made;
}

function untag(value) {
  if (Array.isArray(value)) return value.map(untag);
  if (value === null || typeof value !== 'object') return value;
  if (value.$ === 'undefined') return undefined;
  if (value.$ === 'number') return Number(value.v);
  const members = value.$ === 'object' ? value.v : Object.keys(value).map((key) => [key, value[key]]);
  return fromMembers(members.map(([key, member]) => [key, untag(member)]));
}

function decode(text) {
  const message = JSON.parse(text);
  return `${JSON.stringify({ event: isInternal(message) ? 'internal' : 'message', message: tag(message) })}\n`;
}

function encode(text) {
  const encoded = JSON.stringify(untag(JSON.parse(text)));
  if (encoded === undefined) throw new TypeError('not a JSON value');
  return `${encoded}\n`;
}

const run = { decode, encode }[process.argv[2]];
if (!run) process.exit(3);
const lines = fs.readFileSync(0, 'utf8').split('\n');
lines.pop(); // what stands behind the last line feed is no line
try {
  for (const line of lines) fs.writeSync(1, run(line));
} catch (error) {
  process.stderr.write(`${error}\n`);
  process.exit(1);
}
