'use strict';
// The worker of conformance/README.md, for Node, Bun and Deno.
const cluster = require('cluster');
const net = require('net');

const servers = [];
function listen(port) {
  const server = net.createServer((connection) => connection.on('error', () => {}).pipe(connection));
  server.on('error', (error) => process.send({ failed: error.code })).listen({ port, host: '127.0.0.1' });
  servers.push(server);
}
process.on('message', (message) => {
  if (message === 'leave') cluster.worker.disconnect();
  else if (message === 'close') servers.pop().close();
  else if (message && message.close !== undefined) servers.splice(message.close, 1)[0].close();
  else if (message && message.listen !== undefined) listen(message.listen);
  else process.send({ echo: message });
});
listen(0);
