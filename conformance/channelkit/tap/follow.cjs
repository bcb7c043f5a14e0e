'use strict';
// Loaded into every Node process of a followed program. Starts each child that gets a channel behind the words of NODECHANNEL_TAP.
// The child keeps its process id; `spawnfile`, `spawnargs` and the errors of a program that is missing stay as they were.
const { accessSync, statSync, constants } = require('fs');
const path = require('path');
const { ChildProcess } = require('child_process');

const TAP = 'NODECHANNEL_TAP';
const LATEST = 500; // milliseconds that an exit waits for the end of the channel
const KEPT = [TAP, 'NODE_OPTIONS'];
const own = KEPT.map((name) => [name, process.env[name]]);

const words = (() => {
  try {
    const found = JSON.parse(process.env[TAP]);
    return Array.isArray(found) && found.length ? found : null;
  } catch {
    return null;
  }
})();

// The last entry of a name, as a shell has it.
function value(pairs, name) {
  const found = pairs.filter((pair) => pair.startsWith(`${name}=`)).pop();
  return found === undefined ? undefined : found.slice(name.length + 1);
}

// What the program took out of the environment of a child, so that the children of that child are followed too.
function completed(pairs) {
  const added = pairs.slice();
  for (const [name, text] of own) {
    const there = value(added, name);
    if (text !== undefined && there === undefined) added.push(`${name}=${text}`);
    if (name === 'NODE_OPTIONS' && text !== undefined && there !== undefined && !there.includes(__filename)) {
      const at = added.findIndex((pair) => pair.startsWith('NODE_OPTIONS='));
      added[at] = `NODE_OPTIONS=--require ${JSON.stringify(__filename)} ${there}`;
    }
  }
  return added;
}

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

// Whether the program can be started. Where it cannot, Node has to find that out itself.
function canStart(options, pairs) {
  const cwd = options.cwd ? String(options.cwd) : process.cwd();
  if (options.file.includes('/')) return isProgram(path.resolve(cwd, options.file));
  const places = value(pairs, 'PATH') || process.env.PATH || '/usr/bin:/bin';
  return places.split(':').some((place) => isProgram(path.resolve(cwd, place, options.file)));
}

function hasChannel(stdio) {
  return stdio === 'ipc' || (Array.isArray(stdio) && stdio.includes('ipc'));
}

// The settings of the tap stand in the last word but one; the name that the program has for itself joins them.
function tapped(file, args) {
  const launcher = words.slice();
  const at = launcher.length - 2;
  if (args.length && args[0] !== file) {
    launcher[at] = JSON.stringify({ ...JSON.parse(launcher[at]), argv0: args[0] });
  }
  return [...launcher, file, ...args.slice(1)];
}

// The end of the channel passes the relay, the exit of the child does not; without a relay the end comes first. Node relies on that:
// a parent that sent a handle no longer waits for its channel once the child has exited.
function exitBehindTheEnd(child) {
  const { onexit } = child._handle;
  child._handle.onexit = (...how) => {
    if (!child.connected) return onexit(...how);
    const go = () => {
      clearTimeout(timer);
      child.removeListener('disconnect', go);
      onexit(...how);
    };
    const timer = setTimeout(go, LATEST);
    child.on('disconnect', go);
  };
}

if (words && process.platform !== 'win32') {
  const spawn = ChildProcess.prototype.spawn;
  ChildProcess.prototype.spawn = function (options) {
    if (!options || typeof options.file !== 'string' || !Array.isArray(options.envPairs || [])) {
      return spawn.call(this, options);
    }
    const { file } = options;
    const args = options.args || [];
    const pairs = completed(options.envPairs || []);
    const copy = { ...options, envPairs: pairs };
    const follow = hasChannel(options.stdio) && canStart(options, pairs);
    if (follow) {
      copy.args = tapped(file, args);
      copy.file = copy.args[0];
    }
    const result = spawn.call(this, copy);
    if (follow) {
      exitBehindTheEnd(this);
      this.spawnfile = file;
      this.spawnargs = args;
    }
    return result;
  };
}
