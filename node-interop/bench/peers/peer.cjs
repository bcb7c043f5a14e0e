// One end of a benchmark pair, for Node, Bun and Deno; README.md of this folder has the orders.
//
//   peer.cjs parent JOB    starts the child that JOB names, obeys the orders on standard input
//   peer.cjs child JOB     obeys the orders of its parent
'use strict';

const { spawn } = require('child_process');
const fs = require('fs');
const net = require('net');

const [role, jobText] = process.argv.slice(2);
const job = JSON.parse(jobText);
const said = job.payload && JSON.parse(fs.readFileSync(job.payload, 'utf8'));
const payload = said && said.buffer ? Buffer.alloc(said.buffer) : said;

let onMessage;

function listen(channel) {
  channel.on('message', (message, handle) => onMessage(message, handle));
}

// What each end does with `count` messages. All call `done` when they are through.

// As fast as the channel takes them: when it says that it has enough, wait until the next message is written.
function produce(channel, count, done) {
  while (count > 0) {
    count -= 1;
    if (!channel.send(payload) && count > 0) {
      channel.send(payload, () => produce(channel, count - 1, done));
      return;
    }
  }
  done();
}

function consume(channel, count, done) {
  onMessage = () => {
    count -= 1;
    if (count === 0) done();
  };
}

function echo(channel, count, done) {
  onMessage = (message) => {
    channel.send(message);
    count -= 1;
    if (count === 0) done();
  };
}

function ping(channel, count, done) {
  onMessage = () => {
    count -= 1;
    if (count === 0) done();
    else channel.send(payload);
  };
  channel.send(payload);
}

function takeHandles(channel, count, done) {
  onMessage = (message, handle) => {
    if (handle instanceof net.Server) handle.close();
    else handle.destroy();
    count -= 1;
    if (count === 0) done();
  };
}

const CHILD = { up: produce, down: consume, echo, server: takeHandles, socket: takeHandles };
const PARENT = { up: consume, down: produce, echo: ping, server: giveHandles, socket: giveHandles };

// The child: an order is the number of messages; those that only receive say when they have all.

function child() {
  const order = (count) => {
    CHILD[job.kind](process, count, () => {
      onMessage = order;
      if (job.kind === 'down' || job.handles) process.send('all');
    });
  };
  onMessage = order;
  listen(process);
  process.on('disconnect', () => process.exit());
  process.send('ready');
}

// The parent.

let server;
const accepted = [];

function giveHandles(channel, count, done) {
  for (let i = 0; i < count; i += 1) channel.send(0, accepted.pop() || server);
  done();
}

function start() {
  const [command, ...args] = job.child;
  return spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: job.serialization });
}

function report(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

// Seconds that one job takes, from the first message to the moment when the other end is known to have the last one.
function measure(channel, count, done) {
  const began = process.hrtime.bigint();
  const finish = () => done(Number(process.hrtime.bigint() - began) / 1e9);
  channel.send(count);
  PARENT[job.kind](channel, count, () => {
    if (job.kind === 'down' || job.handles) onMessage = finish;
    else finish();
  });
}

function obey(channel, count) {
  if (job.kind === 'socket' && accepted.length < count) {
    // The orders of the bench come with as many connections.
    setImmediate(obey, channel, count);
    return;
  }
  measure(channel, count, (seconds) => report({ seconds }));
}

function parent() {
  const channel = start();
  let ending = false;
  channel.on('exit', () => ending || process.exit(1));
  listen(channel);
  onMessage = () => {
    if (!job.handles) return report({ pid: channel.pid });
    server = net.createServer({ pauseOnConnect: true }, (socket) => accepted.push(socket));
    server.listen(0, '127.0.0.1', () => report({ pid: channel.pid, port: server.address().port }));
  };
  lines((line) => obey(channel, Number(line)), () => {
    ending = true;
    if (server) server.close();
    channel.disconnect();
  });
}

// How long a child takes from its start to its first message, several times.
function startMany() {
  report({ pid: 0 });
  lines((line) => {
    const again = (count, seconds) => {
      if (count === 0) return report({ seconds });
      const began = process.hrtime.bigint();
      const one = start();
      one.on('message', () => {
        seconds += Number(process.hrtime.bigint() - began) / 1e9;
      });
      one.on('exit', () => again(count - 1, seconds));
    };
    again(Number(line), 0);
  }, () => {});
}

function lines(online, onend) {
  let rest = '';
  process.stdin.setEncoding('utf8');
  process.stdin.on('data', (text) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop();
    parts.forEach(online);
  });
  process.stdin.on('end', onend);
}

if (role === 'child') child();
else if (job.kind === 'start') startMany();
else parent();
