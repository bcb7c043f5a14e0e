'use strict';
// An HTTP server that says who it is and notes each request before it answers. Usage: server.cjs PORT [FOLDER]
const fs = require('fs');
const http = require('http');

const [port, folder] = process.argv.slice(2);
const log = folder && fs.openSync(`${folder}/${process.pid}`, 'a');
http.createServer((request, response) => {
  if (log) fs.writeSync(log, request.url + '\n');
  response.end(`node ${request.url}`);
}).listen({ port: +port, host: '127.0.0.1', backlog: 1024 });
