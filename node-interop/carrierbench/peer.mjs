// An end of a carrier in Node: `peer.mjs CARRIER ROLE PLACE COUNT`. The receiver prints the messages a second behind the first.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';

const require = createRequire(process.env.BENCH_PACKAGES + '/node_modules/');
const [carrier, role, place, many] = process.argv.slice(2);
const count = Number(many);
const TEXT = 'x'.repeat(40);
const message = (n) => ({ n, text: TEXT });

let seen = 0, begin;
const note = (took = 1) => {
  if (!seen) begin = process.hrtime.bigint();
  seen += took;
  if (seen < count) return false;
  console.log(Math.round((seen - 1) / (Number(process.hrtime.bigint() - begin) / 1e9)));
  return true;
};
// Sends in turns, so that the event loop writes meanwhile.
const inTurns = async (send, size = 500) => {
  for (let n = 0; n < count; n += size) {
    const done = [];
    for (let k = n; k < Math.min(n + size, count); k += 1) done.push(send(message(k)));
    await Promise.all(done);
    await new Promise((go) => setImmediate(go));
  }
};

const roles = {
  'stdio receive': () => {
    const child = spawn(place.split(' ')[0], [...place.split(' ').slice(1), carrier, 'send', '-', many], { stdio: ['pipe', 'pipe', 'inherit'] });
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (data) => {
      const lines = (rest + data).split('\n');
      rest = lines.pop();
      for (const line of lines) { JSON.parse(line); note(); }
    });
  },
  'stdio send': async () => {
    for (let n = 0; n < count; n += 1) {
      if (!process.stdout.write(JSON.stringify(message(n)) + '\n')) await new Promise((go) => process.stdout.once('drain', go));
    }
  },
  'node-ipc receive': async () => {
    const ipc = (await import(require.resolve('node-ipc'))).default;
    Object.assign(ipc.config, { silent: true });
    ipc.serve(place, () => console.log('ready'));
    ipc.server.on('bench', () => { if (note()) process.exit(); });
    ipc.server.start();
  },
  'node-ipc send': async () => {
    const ipc = (await import(require.resolve('node-ipc'))).default;
    Object.assign(ipc.config, { silent: true });
    ipc.connectTo('it', place, () => ipc.of.it.on('connect', () => inTurns((value) => ipc.of.it.emit('bench', value))));
  },
  'channel receive': async () => {
    const Redis = require('ioredis');
    const client = new Redis(place);
    client.on('message', (channel, text) => { JSON.parse(text); if (note()) process.exit(); });
    await client.subscribe('bench');
    console.log('ready');
  },
  'channel send': async () => {
    const Redis = require('ioredis');
    const client = new Redis(place);
    await inTurns((value) => client.publish('bench', JSON.stringify(value)));
    await client.quit();
  },
  'stream receive': async () => {
    const Redis = require('ioredis');
    const client = new Redis(place);
    await client.xgroup('CREATE', 'bench', 'g', '0', 'MKSTREAM');
    console.log('ready');
    for (;;) {
      const [[, entries]] = await client.xreadgroup('GROUP', 'g', 'c', 'COUNT', 100, 'BLOCK', 0, 'STREAMS', 'bench', '>');
      for (const [, fields] of entries) JSON.parse(fields[1]);
      await client.xack('bench', 'g', ...entries.map(([id]) => id));
      if (note(entries.length)) process.exit();
    }
  },
  'stream send': async () => {
    const Redis = require('ioredis');
    const client = new Redis(place);
    await inTurns((value) => client.xadd('bench', '*', 'data', JSON.stringify(value)));
    await client.quit();
  },
  'rsmq receive': async () => {
    const RSMQ = require('rsmq');
    const url = new URL(place);
    const queue = new RSMQ({ host: url.hostname, port: Number(url.port) });
    await queue.createQueueAsync({ qname: 'bench' });
    console.log('ready');
    for (;;) {
      const found = await queue.popMessageAsync({ qname: 'bench' });
      if (found.id && note()) process.exit();
    }
  },
  'rsmq send': async () => {
    const RSMQ = require('rsmq');
    const url = new URL(place);
    const queue = new RSMQ({ host: url.hostname, port: Number(url.port) });
    for (let n = 0; n < count; n += 1) await queue.sendMessageAsync({ qname: 'bench', message: JSON.stringify(message(n)) });
    queue.quit();
  },
};
await roles[`${carrier} ${role}`]();
