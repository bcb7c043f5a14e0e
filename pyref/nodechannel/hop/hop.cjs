#!/usr/bin/env node
'use strict';

// Gives the IPC channel of this process on to a command: node hop.cjs COMMAND [ARGUMENT...]
//
// Node opens the channel before any script runs. This script stops reading before the event loop starts, starts the command with the
// same descriptor, and closes its own copy. Handles, both serializations and the messages of a cluster pass unchanged, because this
// process never reads them.

const { spawn } = require('child_process');
const cluster = require('cluster');

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'];

// Milliseconds for the last output of the command to reach the log files of PM2.
const LAST_OUTPUT = 1000;

// Exit statuses of a shell: the command was not found, or could not be started.
const NOT_FOUND = 127;
const NOT_STARTED = 126;
const USAGE = 2;

// Outlives this process if a signal that cannot be caught ends it, and then ends the process group of the command.
const GUARD = 'trap "" HUP INT QUIT TERM USR1 USR2; read -r _; kill -KILL "-$0"';

function fail(text, status) {
  process.stderr.write(`nodechannel hop: ${text}\n`);
  process.exit(status);
}

function memberNamed(object, name) {
  const symbol = Object.getOwnPropertySymbols(object).find(({ description }) => description === name);
  return symbol === undefined ? undefined : object[symbol];
}

// The channel's descriptor, its number in the command, and its serialization; reading has stopped. Undefined for a process without a
// channel. Node leaves a descriptor of a high number open in the processes that it starts. Another number would be a second copy, and
// the channel would not end with the command's own copy.
function takeChannel() {
  if (!process.channel) return undefined;
  const handle = memberNamed(process, 'kChannelHandle');
  if (!handle || !(handle.fd >= 0)) {
    fail(`cannot find the channel of Node ${process.version}; Node 18 to 26 are supported`, USAGE);
  }
  handle.readStop();
  const text = memberNamed(handle, 'kJSONBuffer');
  const blocks = memberNamed(handle, 'kMessageBuffer');
  const pending = memberNamed(process.channel, 'kPendingMessages');
  if ((pending && pending.length) || (text && text.length) || (blocks && blocks.length)) {
    fail('messages were read before the command could start; run hop.cjs as the main script, without --import', NOT_STARTED);
  }
  return { handle, fd: handle.fd, number: Math.max(handle.fd, 3), serialization: text === undefined ? 'advanced' : 'json' };
}

// Node removes these variables when it starts; the command needs them again.
function environment(channel) {
  const env = { ...process.env };
  delete env.NODE_UNIQUE_ID;
  if (channel) {
    env.NODE_CHANNEL_FD = String(channel.number);
    env.NODE_CHANNEL_SERIALIZATION_MODE = channel.serialization;
    if (cluster.worker) env.NODE_UNIQUE_ID = String(cluster.worker.id);
  }
  return env;
}

// Code that a parent loaded into this process may still send and disconnect; the channel belongs to the command now. PM2's code ends the
// process when a send fails, so a send does nothing.
function letGo(channel) {
  if (!channel) return;
  channel.handle.close();
  process.connected = false;
  process.send = () => true;
  process.disconnect = () => {};
}

// PM2's cluster mode replaces `write` to fill its log files. Only then does the output pass through this process.
function isReplaced(stream) {
  return Object.prototype.hasOwnProperty.call(stream, 'write');
}

// PM2 with `treekill` sends the signal that stops a program to each of its processes, so the command gets it without this process.
function isSentToAll(signal) {
  return process.env.pm_id !== undefined && process.env.treekill === 'true' &&
    signal === (process.env.PM2_KILL_SIGNAL || 'SIGINT');
}

function passOutput(source, target, finished) {
  if (!source) return finished();
  let unwritten = 1;
  const one = () => { if (--unwritten === 0) finished(); };
  source.on('data', (chunk) => { unwritten += 1; target.write(chunk, undefined, one); });
  source.on('end', one);
  return undefined;
}

function main([command, ...args]) {
  if (process.platform === 'win32') fail('Windows is not supported', USAGE);
  if (command === undefined) fail('name the command: node hop.cjs COMMAND [ARGUMENT...]', USAGE);
  const channel = takeChannel();
  let child;
  for (const signal of SIGNALS) {
    process.on(signal, () => { if (child && !isSentToAll(signal)) child.kill(signal); });
  }
  const output = (stream) => (isReplaced(stream) ? 'pipe' : 'inherit');
  const stdio = ['inherit', output(process.stdout), output(process.stderr)];
  if (channel) {
    while (stdio.length < channel.number) stdio.push('ignore'); // from 3 on, nothing is opened there
    stdio.push(channel.fd);
  }
  // In a session of its own the command gets each signal once, from this process, and not from the terminal too.
  const notStarted = (error) => {
    const missing = error.code === 'ENOENT' || error.code === 'ENOTDIR';
    fail(`cannot start ${command || 'a command without a name'}: ${error.message}`, missing ? NOT_FOUND : NOT_STARTED);
  };
  try { // Node throws some errors and tells of others later
    child = spawn(command, args, { stdio, env: environment(channel), detached: true });
  } catch (error) {
    notStarted(error);
  }
  letGo(channel);
  child.on('error', (error) => { if (child.pid === undefined) notStarted(error); });
  if (child.pid === undefined) return;
  const guard = spawn('/bin/sh', ['-c', GUARD, String(child.pid)], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  guard.on('error', (error) => process.stderr.write(`nodechannel hop: no /bin/sh: ${error.message}\n`));
  guard.unref();

  let open = 3;
  let ending;
  const one = () => {
    open -= 1;
    if (open === 0) ending();
  };
  passOutput(child.stdout, process.stdout, one);
  passOutput(child.stderr, process.stderr, one);
  child.on('exit', (code, signal) => {
    guard.kill('SIGKILL');
    ending = () => endLike(code, signal);
    setTimeout(ending, LAST_OUTPUT);
    one();
  });
}

function endLike(code, signal) {
  if (signal === null) process.exit(code);
  for (const name of SIGNALS) process.removeAllListeners(name);
  process.kill(process.pid, signal);
  setTimeout(() => process.exit(1), LAST_OUTPUT); // the parent ignores this signal, and so does this process
}

main(process.argv.slice(2));
