"""Programs that talk over a channel in every way that there is, for recordings of real ends.

A parent takes the mode and the command of its child as arguments.
"""

# ruff: noqa: E501  # scripts of Node

MESSAGES = """
const cp = require('child_process');
const serialization = process.argv[2], command = process.argv.slice(3);
const child = cp.spawn(command[0], command.slice(1), { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], serialization });
child.send({ text: 'é \\u2028 \\ud83d\\ude00', numbers: [1, -0.5, 1e21, 9007199254740991], deep: [[[{}]]], none: null });
child.send('x'.repeat(3000));
let got = 0;
child.on('message', (m) => { if (++got === 2) child.disconnect(); });
"""
HANDLES = """
const net = require('net'), dgram = require('dgram'), cp = require('child_process');
const serialization = process.argv[2], command = process.argv.slice(3);
const child = cp.spawn(command[0], command.slice(1), { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], serialization });
const server = net.createServer((socket) => child.send({ connection: 1 }, socket, () => {
  server.getConnections((e, n) => { if (e) throw e; client.end('x'); server.close(); });
})).listen(0, '127.0.0.1');
let client;
const udp = dgram.createSocket('udp4').bind(0, '127.0.0.1', () => child.send('datagrams', udp, () => udp.close()));
server.on('listening', () => { child.send('server', server); client = net.connect(server.address().port, '127.0.0.1'); client.on('error', () => {}); });
child.send({ text: 'é \\u2028 \\ud83d\\ude00', numbers: [1, -0.5, 1e21, 9007199254740991], deep: [[[{}]]], none: null });
child.send('x'.repeat(3000));
let got = 0;
child.on('message', (m) => { if (++got === 5) setTimeout(() => child.disconnect(), 100); });
"""
ECHO_NODE = """
process.on('message', (m, h) => { process.send({ echo: typeof m === 'string' ? m.length : m }); if (h && h.destroy) h.destroy(); else if (h) h.close(); });
"""
ECHO_PYTHON = """
import nodechannel
with nodechannel.connect() as channel:
    for message in channel:
        if message.handle is not None:
            message.handle.close()
        channel.send({"echo": len(message.data) if isinstance(message.data, str) else message.data})
"""
PARENT_PYTHON = """
import socket, sys, nodechannel
with nodechannel.spawn(sys.argv[2:], serialization=sys.argv[1]) as child:
    child.send({"text": "é \\u2028", "numbers": [1, -0.5, 1e21, 2**53 - 1]})
    child.send("x" * 3000)
    child.receive(timeout=20)
    child.receive(timeout=20)
"""
PARENT_PYTHON_HANDLES = """
import socket, sys, nodechannel
with nodechannel.spawn(sys.argv[2:], serialization=sys.argv[1]) as child, socket.create_server(("127.0.0.1", 0)) as server:
    child.send({"text": "é \\u2028", "numbers": [1, -0.5, 1e21, 2**53 - 1]})
    child.send("x" * 3000)
    child.send("server", server)
    with socket.create_connection(server.getsockname()):
        child.send("connection", server.accept()[0])
        for _ in range(4):
            child.receive(timeout=20)
"""
CLUSTER = """
const cluster = require('cluster'), http = require('http');
if (process.argv[2] === 'shared') cluster.schedulingPolicy = cluster.SCHED_NONE;
if (cluster.isMaster) {
  let ready = 0;
  const ask = (port, left) => http.get({ host: '127.0.0.1', port, agent: false }, (r) => { r.resume(); r.on('end', () => left ? ask(port, left - 1) : cluster.disconnect()); });
  cluster.fork(); cluster.fork();
  cluster.on('listening', (w, a) => { if (++ready === 2) ask(a.port, 6); });
} else http.createServer((q, s) => s.end('hi')).listen(0, '127.0.0.1');
"""

FILES = {
    "egg.cjs": """
const { mkdirSync, symlinkSync, writeFileSync } = require('fs');
mkdirSync('egg/config', { recursive: true });
symlinkSync(process.argv[2] + '/node_modules', 'egg/node_modules');
writeFileSync('egg/package.json', '{"name":"egg-app","egg":{}}');
writeFileSync('egg/config/config.default.js', "exports.keys = 'k';");
const framework = process.cwd() + '/egg/node_modules/egg';
require(framework).startCluster({ baseDir: process.cwd() + '/egg', workers: 1, port: 0, framework }, () => {
  setTimeout(() => process.kill(process.pid, 'SIGTERM'), 300);
});
""",
    "task.cjs": "module.exports = (n) => n + 1; module.exports.add = (a, b) => a + b;\n",
    "pool-worker.cjs": "require('workerpool').worker({ add: (a, b) => a + b });\n",
    "ipc-child.cjs": "process.on('message', (m) => process.send({ got: m }, () => process.disconnect()));\n",
    "app.cjs": "process.on('message', () => {}); process.send('ready'); setTimeout(() => {}, 60000);\n",
}
"""Files beside the programs."""
PACKAGES = {
    "jest-worker": """
import { Worker } from 'jest-worker';
const worker = new Worker(new URL('./task.cjs', import.meta.url).pathname, { numWorkers: 1, exposedMethods: ['add'] });
if (await worker.add(1, 2) !== 3) process.exit(1);
await worker.end();
""",
    "workerpool": """
import workerpool from 'workerpool';
const pool = workerpool.pool(new URL('./pool-worker.cjs', import.meta.url).pathname, { workerType: 'process', maxWorkers: 1 });
if (await pool.exec('add', [1, 2]) !== 3) process.exit(1);
await pool.terminate();
""",
    "tinypool": """
import Tinypool from 'tinypool';
const pool = new Tinypool({ filename: new URL('./task.cjs', import.meta.url).href, runtime: 'child_process', maxThreads: 1, minThreads: 1 });
if (await pool.run(2) !== 3) process.exit(1);
await pool.destroy();
""",
    "worker-farm": """
import farm from 'worker-farm';
import { writeFileSync } from 'fs';
writeFileSync('farm-task.cjs', 'module.exports = (n, done) => done(null, n + 1);');
const work = farm({ maxConcurrentWorkers: 1 }, new URL('./farm-task.cjs', import.meta.url).pathname);
work(2, (error, n) => { if (error || n !== 3) process.exitCode = 1; farm.end(work); });
""",
    "execa": """
import { execaNode } from 'execa';
const child = execaNode('ipc-child.cjs', { ipc: true });
await child.sendMessage({ hello: ['child'] });
await child.getOneMessage();
await child;
""",
    "execa-advanced": """
import { execaNode } from 'execa';
const child = execaNode('ipc-child.cjs', { serialization: 'advanced', ipcInput: new Map([['a', new Date(0)]]) });
await child;
""",
    "pm2": """
import pm2 from 'pm2';
import { promisify } from 'util';
process.env.PM2_HOME = process.cwd() + '/pm2-home';
const call = (name, ...words) => promisify(pm2[name].bind(pm2))(...words);
await call('connect', true);
await call('start', { script: 'app.cjs', name: 'one', exec_mode: 'fork', pmx: false });
await call('start', { script: 'app.cjs', name: 'two', exec_mode: 'cluster', pmx: false });
await call('sendDataToProcessId', 0, { type: 'process:msg', data: { a: 1 }, topic: 't' });
await call('delete', 'all');
process.exit();
""",
    "language-server": """
import { fork } from 'child_process';
import protocol from 'vscode-languageserver-protocol/node';
const path = 'node_modules/vscode-langservers-extracted/bin/vscode-json-language-server';
const server = fork(path, ['--node-ipc', `--clientProcessId=${process.pid}`]);
const connection = protocol.createProtocolConnection(new protocol.IPCMessageReader(server), new protocol.IPCMessageWriter(server));
connection.listen();
await connection.sendRequest('initialize', { processId: process.pid, rootUri: null, capabilities: {} });
await connection.sendNotification('initialized', {});
const uri = 'file:///a.json';
await connection.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId: 'json', version: 1, text: '{"a": é}' } });
await connection.sendRequest('textDocument/documentSymbol', { textDocument: { uri } });
await connection.sendRequest('shutdown');
await connection.sendNotification('exit');
await new Promise((resolve) => server.on('exit', resolve));
""",
}
"""Programs that use real packages, each with children of Node."""
