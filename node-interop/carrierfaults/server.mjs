// A server of npm `node-ipc` that notes each number in a file before it answers: `server.mjs PACKAGES PATH FILE`. It is killed at any moment.
import { appendFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [packages, path, notes] = process.argv.slice(2);
const ipc = (await import(createRequire(`${packages}/node_modules/`).resolve('node-ipc'))).default;
Object.assign(ipc.config, { silent: true });
const sockets = new Set();
ipc.serve(path, () => {});
ipc.server.on('connect', (socket) => sockets.add(socket));
ipc.server.on('work', (number, socket) => {
  appendFileSync(notes, `${number}\n`);
  if (socket.writable) ipc.server.emit(socket, 'answer', number);
});
process.on('SIGUSR1', () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
});
ipc.server.start();
