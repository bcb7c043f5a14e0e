'use strict';
// What a measured runtime runs: the program in its first argument, with a few words to say what it sees.
// argv: program, role (`child` or `parent`), for a parent the command of the relay.

const childProcess = require('child_process');
const dgram = require('dgram');
const fs = require('fs');
const net = require('net');

const program = process.argv[2];
const role = process.argv[3];
const relay = process.argv.slice(4);

/** One fact for the measuring program, on stdout and at once. */
function say(fact) {
  fs.writeSync(1, JSON.stringify(fact) + '\n');
}

/** This end of the channel: `process`, or a child whose end the relay gives to the measuring program. */
function open(options) {
  if (role === 'child') return process;
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc'];
  return childProcess.spawn(relay[0], relay.slice(1), Object.assign({ stdio }, options));
}

/** A value as plain ASCII text that keeps what JSON loses. */
function text(value) {
  if (Object.is(value, -0)) return '-0';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'string' || (typeof value === 'object' && value !== null)) {
    return JSON.stringify(value).replace(/[^\x20-\x7e]/g, (unit) => '\\u' + unit.charCodeAt(0).toString(16).padStart(4, '0'));
  }
  return String(value);
}

function kind(handle) {
  if (handle === undefined || handle === null) return 'none';
  if (handle instanceof net.Server) return 'net.Server';
  if (handle instanceof net.Socket) return 'net.Socket';
  if (handle instanceof dgram.Socket) return 'dgram.Socket';
  return (handle.constructor && handle.constructor.name) || 'object';
}

/** Answers each message with what arrived; probes come back as they are. */
function echo(channel) {
  channel.on('message', (message, handle) => {
    if (message && message.probe) channel.send(message);
    else if (handle) channel.send({ got: text(message), handle: kind(handle) });
    else channel.send({ got: text(message) });
  });
  return channel;
}

/** `send` and what became of it: `throws CODE`, or what was returned. */
function attempt(action) {
  try {
    return String(action());
  } catch (error) {
    return `throws ${error.code || error.name}`;
  }
}

// The program sees all of the above.
eval(program);
