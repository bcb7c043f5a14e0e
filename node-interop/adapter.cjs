'use strict';
// The driven adapter of conformance/README.md for Node: rungs 1 and 2 as child, rung 3 as parent.
// One file, no dependency, for Node 6 and later, Bun and Deno.
//
// It adds nothing to the library under test. In particular it installs no 'uncaughtException' handler: how
// a runtime dies of a bad line is what the kit wants to see.

const { spawn } = require('child_process');
const dgram = require('dgram');
const fs = require('fs');
const net = require('net');
const { inspect } = require('util');

const CONTRACT = 1;
const RUNTIME = process.versions.bun ? 'bun' : process.versions.deno ? 'deno' : 'node';
/** Node 24 has the class and passes none of it. */
const BOUND = net.BoundSocket && parseInt(process.versions.node, 10) >= 26 ? ['receive:net.BoundSocket'] : [];
const HANDLE_TYPES = ['net.Server', 'net.Socket', 'dgram.Socket'];
/** What a runtime does not have at all. What it has and does otherwise is for the kit to find. */
const ABSENT = { bun: ['socket-lists', 'ask-socket-lists'], deno: ['receive:dgram.Native'] }[RUNTIME] || [];
const CAPABILITIES = [].concat(
  HANDLE_TYPES.map((type) => `receive:${type}`), 'receive:net.Native', 'receive:dgram.Native',
  HANDLE_TYPES.map((type) => `send:${type}`), BOUND,
  'socket-lists', 'ask-socket-lists', 'start', 'env').filter((one) => !ABSENT.includes(one));

/** What to wait with; Node 6 has none and tries at once. */
const PAUSE = typeof SharedArrayBuffer === 'function' ? new Int32Array(new SharedArrayBuffer(4)) : null;
const REMOTE_CODES = ['EPIPE', 'ECONNRESET'];

/** The object that carries the channel: `process` in the child role, a ChildProcess in the parent role. */
let channel = null;
/** While a command runs, errors that the library emits synchronously are the command's own refusal. */
let refusalOf = null;
/** Handles by name: received ones (h1, h2, ...) and made ones. */
const handles = new Map();
let received = 0;

// ---- control channel ------------------------------------------------------------------------------------

/** Writes one control line completely before it returns, so that nothing is lost when the process dies next. */
function put(line) {
  const bytes = Buffer.from(line + '\n');
  for (let at = 0; at < bytes.length;) {
    try {
      at += fs.writeSync(1, bytes, at, bytes.length - at);
    } catch (error) {
      if (error.code === 'EPIPE') process.exit(0); // the runner is gone
      if (error.code !== 'EAGAIN') throw error;
      if (PAUSE) Atomics.wait(PAUSE, 0, 0, 1); // a full non-blocking pipe: one millisecond later there may be room
    }
  }
}

function reply(id, fields) {
  put(serialize(Object.assign({ id, ok: true }, fields)));
}

/** Only a channel that the other end took away is the other end's fault; all else was asked for on this side. */
function describe(error) {
  const code = String(error.code || error.name);
  return { blame: REMOTE_CODES.includes(code) ? 'remote' : 'local', code, text: String(error.message) };
}

function refuse(id, error) {
  put(serialize({ id, ok: false, error: describe(error) }));
}

function local(code, text) {
  return Object.assign(new Error(text), { code });
}

// ---- tagged values --------------------------------------------------------------------------------------

/** Text that is ready to be written, among values that are not. */
class Text {
  constructor(text) { this.text = text; }
}

/** The text of a value without members, or undefined for an array or an object. */
function scalar(value) {
  if (value === undefined) return '{"$":"undefined"}';
  if (typeof value === 'number') {
    if (Object.is(value, -0)) return '{"$":"number","v":"-0"}';
    return Number.isFinite(value) ? String(value) : `{"$":"number","v":"${value}"}`;
  }
  if (typeof value === 'bigint') return String(value); // Deno reads a large integer as one
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'object') return undefined;
  return `{"$":"other","v":${JSON.stringify(inspect(value))}}`;
}

/** JSON text of a control line. Iterative, because a message may be nested deeper than the stack. */
function serialize(line) {
  const out = [];
  const todo = [line]; // a stack of values and of the Text between them
  const raw = (text) => { todo.push(new Text(text)); };
  while (todo.length > 0) {
    const value = todo.pop();
    if (value instanceof Text) {
      out.push(value.text);
      continue;
    }
    const text = scalar(value);
    if (text !== undefined) {
      out.push(text);
    } else if (Array.isArray(value)) {
      raw(']');
      for (let i = value.length - 1; i >= 0; i--) {
        todo.push(value[i]);
        if (i > 0) raw(',');
      }
      raw('[');
    } else {
      pushObject(value, todo, raw);
    }
  }
  return out.join('');
}

/** Members in reverse, since `todo` is a stack. A message's own key `$` would look like a tag: list its members. */
function pushObject(value, todo, raw) {
  const keys = Object.keys(value);
  const escaped = Object.prototype.hasOwnProperty.call(value, '$');
  raw(escaped ? ']}' : '}');
  for (let i = keys.length - 1; i >= 0; i--) {
    if (escaped) raw(']');
    todo.push(value[keys[i]]);
    raw((escaped ? '[' : '') + JSON.stringify(keys[i]) + (escaped ? ',' : ':'));
    if (i > 0) raw(',');
  }
  raw(escaped ? '{"$":"object","v":[' : '{');
}

/** The value that a tag stands for; its members are untagged later. */
function untagOne(value) {
  if (value === null || typeof value !== 'object' || !Object.prototype.hasOwnProperty.call(value, '$')) return value;
  if (value.$ === 'undefined') return undefined;
  if (value.$ === 'number') return Number(value.v);
  if (value.$ === 'object') {
    const object = {};
    for (const [key, member] of value.v) define(object, key, member);
    return object;
  }
  throw local('BAD_TAG', `unknown tag ${inspect(value.$)}`);
}

/** Assignment that makes an own property of every key, `__proto__` included. */
function define(object, key, value) {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

function untag(value) {
  const root = [untagOne(value)];
  const todo = [root];
  while (todo.length > 0) {
    const container = todo.pop();
    for (const key of Object.keys(container)) {
      const member = container === root ? container[key] : untagOne(container[key]);
      define(container, key, member);
      if (member !== null && typeof member === 'object') todo.push(member);
    }
  }
  return root[0];
}

// ---- tagged values of the mode `advanced` ------------------------------------------------------------------

// Node removes the variable from the environment of a child before any script runs.
const ADVANCED = process.argv.includes('--advanced');
const hex = (view) => Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('hex');
const className = (value) => Object.prototype.toString.call(value).slice(8, -1);

/** A message as the contract has it. An object that comes again is a reference to its number. */
function lower(message) {
  const numbers = new Map();
  const walk = (value) => {
    if (typeof value === 'bigint') return { $: 'bigint', v: String(value) };
    if (value === null || typeof value !== 'object') return new Text(scalar(value));
    if (numbers.has(value)) return { $: 'ref', v: numbers.get(value) };
    numbers.set(value, numbers.size);
    const make = lowered[className(value)] || (ArrayBuffer.isView(value) ? lowered.view : lowered.Object);
    return make(value, walk);
  };
  return new Text(JSON.stringify(walk(message), (key, value) => (value instanceof Text ? JSON.parse(value.text) : value)));
}

const membersOf = (value, walk) => Object.keys(value).map((key) => [key, walk(value[key])]);

const lowered = {
  Object: (value, walk) => ({ $: 'object', v: membersOf(value, walk) }),
  Array(value, walk) {
    const members = membersOf(value, walk);
    if (members.length === value.length && members.every(([key], at) => key === String(at))) return members.map((one) => one[1]);
    return { $: 'array', v: [value.length, members.sort(([a], [b]) => (a < b ? -1 : 1))] };
  },
  Map: (value, walk) => ({ $: 'map', v: Array.from(value, ([key, one]) => [walk(key), walk(one)]) }),
  Set: (value, walk) => ({ $: 'set', v: Array.from(value, walk) }),
  Date: (value, walk) => ({ $: 'date', v: walk(value.getTime()) }),
  RegExp: (value) => ({ $: 'regexp', v: [value.source, value.flags] }),
  Error(value, walk) {
    const own = (name) => walk(Object.prototype.hasOwnProperty.call(value, name) ? value[name] : undefined);
    const parts = [Object.getPrototypeOf(value).name, own('message'), own('stack')];
    if (Object.prototype.hasOwnProperty.call(value, 'cause')) parts.push(walk(value.cause));
    return { $: 'error', v: parts };
  },
  ArrayBuffer: (value) => ({ $: 'arraybuffer', v: Buffer.from(value).toString('hex') }),
  view: (value) => ({ $: 'view', v: [Buffer.isBuffer(value) ? 'Buffer' : className(value), hex(value)] }),
};
for (const name of ['Number', 'String', 'Boolean', 'BigInt']) {
  lowered[name] = (value, walk) => ({ $: 'boxed', v: walk(value.valueOf()) });
}

/** The message that the contract says. */
function raise(message) {
  const begun = [];
  const begin = (value) => { begun.push(value); return value; };
  const walk = (value) => {
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return fill(begin([]), value.map((one, at) => [at, one]));
    if (!Object.prototype.hasOwnProperty.call(value, '$')) return fill(begin({}), Object.keys(value).map((key) => [key, value[key]]));
    return Object.prototype.hasOwnProperty.call(raised, value.$) ? raised[value.$](value.v, walk, begin, begun) : untagOne(value);
  };
  const fill = (object, members) => {
    for (const [key, member] of members) define(object, key, walk(member));
    return object;
  };
  raised.object = (members) => fill(begin({}), members);
  raised.array = ([length, members]) => fill(begin(new Array(length)), members);
  return walk(message);
}

const fromHex = (text) => new Uint8Array(Buffer.from(text, 'hex')).buffer;
const raised = {
  ref: (number, walk, begin, begun) => begun[number],
  bigint: (digits) => BigInt(digits), // eslint-disable-line no-undef
  date: (time, walk, begin) => begin(new Date(walk(time))),
  regexp: ([source, flags], walk, begin) => begin(new RegExp(source, flags)),
  boxed: (value, walk, begin) => begin(Object(walk(value))),
  arraybuffer: (text, walk, begin) => begin(fromHex(text)),
  view: ([name, text], walk, begin) => begin(name === 'Buffer' ? Buffer.from(text, 'hex') : new global[name](fromHex(text))),
  map(entries, walk, begin) {
    const map = begin(new Map());
    for (const [key, one] of entries) map.set(walk(key), walk(one));
    return map;
  },
  set(members, walk, begin) {
    const set = begin(new Set());
    for (const one of members) set.add(walk(one));
    return set;
  },
  error(parts, walk, begin) {
    const [name, message, stack, ...cause] = parts;
    const error = begin(new global[name]());
    for (const [key, value] of [['message', message], ['stack', stack]]) {
      Object.defineProperty(error, key, { value: walk(value), configurable: true, writable: true });
    }
    if (cause.length) Object.defineProperty(error, 'cause', { value: walk(cause[0]), configurable: true, writable: true });
    return error;
  },
};

// ---- handles --------------------------------------------------------------------------------------------

function typeOf(handle) {
  if (handle instanceof net.Server) return 'net.Server';
  if (handle instanceof net.Socket) return 'net.Socket';
  if (handle instanceof dgram.Socket) return 'dgram.Socket';
  if (net.BoundSocket && handle instanceof net.BoundSocket) return 'net.BoundSocket';
  return handle.constructor && handle.constructor.name === 'UDP' ? 'dgram.Native' : 'net.Native';
}

/** Keeps a handle under a name; an older one of that name is not closed. Errors of the socket itself are not errors of the channel: they go to stderr. */
function keep(name, handle) {
  const entry = { handle, connections: [], uses: [] };
  handles.set(name, entry);
  if (typeof handle.on === 'function') {
    handle.on('error', (error) => process.stderr.write(`${name}: ${inspect(error)}\n`));
  }
  if (handle instanceof net.Server) watchConnections(entry, handle);
  return name;
}

/** Connections and uses for them meet in pairs, whichever comes first. */
function watchConnections(entry, server) {
  const pair = () => {
    while (entry.connections.length > 0 && entry.uses.length > 0) entry.uses.shift()(entry.connections.shift());
  };
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    entry.connections.push(socket);
    pair();
  });
  entry.pair = pair;
}

function find(name) {
  const entry = handles.get(name);
  if (!entry) throw local('NO_SUCH_HANDLE', `no handle is named ${inspect(name)}`);
  return entry;
}

/** A raw handle is used through the object that wraps it: a connected one has a peer, a listening one has none. */
function wrapNative(name, entry) {
  if (typeOf(entry.handle) === 'dgram.Native') {
    keep(name, dgram.createSocket('udp4').bind(entry.handle));
    return find(name);
  }
  if (typeOf(entry.handle) !== 'net.Native') return entry;
  const raw = entry.handle;
  const listening = typeof raw.getpeername === 'function' && raw.getpeername({}) !== 0;
  keep(name, listening ? net.createServer().listen(raw) : new net.Socket({ handle: raw, readable: true, writable: true }));
  return find(name);
}

function parseAddress(to) {
  const match = /^(.+):(\d+)$/.exec(to);
  if (!match) throw local('BAD_ADDRESS', `not an address: ${inspect(to)}`);
  return { host: match[1].replace(/^\[|\]$/g, ''), port: Number(match[2]) };
}

/** A string, or nothing for the end of a connection that has none. */
function addressOf(socket) {
  const found = socket.address();
  return found === null || typeof found === 'string' ? found || undefined : found.port && `${found.address}:${found.port}`;
}

// ---- the channel under test -----------------------------------------------------------------------------

function onMessage(message, handle) {
  const event = { event: 'message', message: ADVANCED ? lower(message) : message };
  if (handle !== undefined && handle !== null) {
    event.handle = { name: keep(`h${++received}`, handle), type: typeOf(handle) };
  }
  put(serialize(event));
}

function onError(error) {
  if (refusalOf) refusalOf(error);
  else put(serialize(Object.assign({ event: 'error' }, describe(error))));
}

/** What Node says of a handle that it gave up; there is no other event. */
function onWarning(warning) {
  if (warning.name !== 'SentHandleNotReceivedWarning') return;
  put(serialize({ event: 'error', blame: 'remote', code: warning.name, text: warning.message }));
}

function listen() {
  process.on('warning', onWarning);
  channel.on('error', onError);
  channel.on('disconnect', () => put('{"event":"disconnect"}'));
  channel.on('message', onMessage);
}

function openChild(id) {
  if (typeof process.send !== 'function') throw local('NO_CHANNEL', 'this process was started without a channel');
  channel = process;
  reply(id);
  if (process.connected) listen();
  else put('{"event":"disconnect"}'); // it ended before anybody listened, and the event is past
}

function openParent(id, argv, env) {
  const options = { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] };
  if (ADVANCED) options.serialization = 'advanced';
  if (env) options.env = Object.assign({}, process.env, env);
  channel = spawn(argv[0], argv.slice(1), options);
  if (channel.pid === undefined) {
    channel.once('error', (error) => refuse(id, error));
    channel = null;
    return;
  }
  reply(id);
  channel.on('exit', (code, signal) => put(serialize({ event: 'exit', code, signal })));
  listen();
}

/** Runs `action`; an error that it throws or that the library emits during it is thrown. */
function strictly(action) {
  let refusal = null;
  refusalOf = (error) => { refusal = refusal || error; };
  try {
    action();
  } finally {
    refusalOf = null;
  }
  if (refusal) throw refusal;
}

/**
 * Answered as soon as the library accepted the message, not when it is written: while a handle waits for its
 * acknowledgement later messages stay queued. Errors that come one tick later are refusals still.
 */
function send(id, command) {
  const handle = command.handle === undefined ? undefined : find(command.handle).handle;
  const options = command.keepOpen === undefined ? undefined : { keepOpen: command.keepOpen };
  let settled = false;
  const settle = (error) => {
    if (settled) {
      if (error) onError(error);
      return;
    }
    settled = true;
    if (error) refuse(id, error);
    else reply(id);
  };
  strictly(() => channel.send(ADVANCED ? raise(command.message) : untag(command.message), handle, options, settle));
  setImmediate(() => settle(null));
}

// ---- commands -------------------------------------------------------------------------------------------

const makers = {
  'tcp-server': (done) => {
    const server = net.createServer();
    server.listen(0, '127.0.0.1', () => done(server));
    return server;
  },
  'tcp-client': (done, to) => {
    const socket = net.connect(parseAddress(to), () => done(socket));
    return socket;
  },
  'unix-server': (done, path) => {
    const server = net.createServer();
    server.listen(path, () => done(server));
    return server;
  },
  'unix-client': (done, path) => {
    const socket = net.connect(path, () => done(socket));
    return socket;
  },
  udp4: (done) => {
    const socket = dgram.createSocket('udp4');
    socket.bind(0, '127.0.0.1', () => done(socket));
    return socket;
  },
};

const commands = {
  hello(id, { contract }) {
    if (contract !== CONTRACT) throw local('BAD_CONTRACT', `this adapter speaks contract ${CONTRACT}`);
    reply(id, {
      contract: CONTRACT,
      name: RUNTIME,
      version: process.versions[RUNTIME],
      language: 'JavaScript',
      roles: ['child', 'parent'],
      rung: 3,
      capabilities: CAPABILITIES,
    });
  },

  open(id, { argv, env }) {
    if (channel) throw local('ALREADY_OPEN', 'the channel is open already');
    if (argv) openParent(id, argv, env);
    else openChild(id);
  },

  send(id, command) {
    requireOpen();
    send(id, command);
  },

  disconnect(id) {
    requireOpen();
    strictly(() => channel.disconnect());
    reply(id);
  },

  exit(id, { code }) {
    process.exit(code);
  },

  make(id, { kind, name, to }) {
    if (!Object.prototype.hasOwnProperty.call(makers, kind)) {
      put(serialize({ id, ok: false, unsupported: true }));
      return;
    }
    const failed = (error) => refuse(id, error);
    const handle = makers[kind]((ready) => {
      ready.removeListener('error', failed);
      keep(name, ready);
      const address = addressOf(ready);
      reply(id, address ? { address } : {});
    }, to);
    handle.once('error', failed);
  },

  prove(id, { handle: name, text, to }) {
    const entry = wrapNative(name, find(name));
    const done = (error) => { if (error) refuse(id, error); else reply(id); };
    if (entry.pair) {
      entry.uses.push((connection) => connection.end(text));
      reply(id); // before the connection is there: whoever asked makes it next
      entry.pair();
    } else if (entry.handle instanceof dgram.Socket) {
      const { host, port } = parseAddress(to);
      entry.handle.send(text, port, host, done);
    } else {
      entry.handle.write(text, done);
    }
  },

  accept(id, { handle: server, name }) {
    const entry = find(server);
    entry.uses.push((connection) => {
      keep(name, connection);
      reply(id);
    });
    entry.pair();
  },

  getConnections(id, { handle: name }) {
    find(name).handle.getConnections((error, count) => {
      if (error) refuse(id, error);
      else reply(id, { count });
    });
  },

  start(id, { argv }) {
    const other = spawn(argv[0], argv.slice(1), { stdio: 'ignore' });
    if (other.pid === undefined) other.once('error', (error) => refuse(id, error));
    else reply(id);
    other.unref();
  },

  close(id, { handle: name }) {
    const { handle, connections } = find(name);
    handles.delete(name);
    if (handle instanceof net.Server) {
      connections.forEach((socket) => socket.destroy());
      handle.close(); // its callback waits for the peer's last connection, the reply must not
      reply(id);
    } else if (handle instanceof net.Socket && !handle.destroyed) {
      handle.once('close', () => reply(id));
      handle.destroy();
    } else if (handle instanceof net.Socket) {
      reply(id);
    } else {
      handle.close(() => reply(id));
    }
  },
};

function requireOpen() {
  if (!channel) throw local('NOT_OPEN', 'the channel is not open');
}

function run(line) {
  const request = JSON.parse(line);
  const { id, command } = request;
  if (!Object.prototype.hasOwnProperty.call(commands, command)) {
    put(serialize({ id, ok: false, unsupported: true }));
    return;
  }
  try {
    commands[command](id, request);
  } catch (error) {
    refuse(id, error);
  }
}

const unfinished = []; // pieces of a line; joined once, because a line may be long
process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk) => {
  const [first, ...rest] = chunk.split('\n');
  unfinished.push(first);
  for (const next of rest) {
    const line = unfinished.join('');
    unfinished.length = 0;
    unfinished.push(next);
    if (line.trim() !== '') run(line);
  }
});
process.stdin.on('end', () => process.exit(0));
