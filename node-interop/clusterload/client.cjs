'use strict';
// A load generator with Node's own HTTP client. Usage: client.cjs PORT TOTAL CONCURRENCY KINDS, where KINDS is "keep", "close" or "both".
// Sends each request once, /1 to /TOTAL, and checks that the answer repeats the path. A request that fails on a connection that served others
// before is sent again, as Node's documentation advises, since the server may have closed the idle connection at that moment. Writes JSON lines:
// {done: n} now and then, {lost: path, began, ended, code} in nanoseconds of the monotonic clock, {total: {...}} at the end.
const http = require('http');

const [port, total, concurrency] = process.argv.slice(2, 5).map(Number);
const kinds = process.argv[5] || 'both';
const agents = {
  keep: new http.Agent({ keepAlive: true, maxSockets: concurrency }),
  close: new http.Agent({ keepAlive: false }),
};
const tally = { answered: 0, lost: 0, again: 0, wrong: 0, connections: 0 };
const tell = (event) => process.stdout.write(JSON.stringify(event) + '\n');
const now = () => Number(process.hrtime.bigint());
let next = 0;
let running = 0;
const start = now();

function finish(ok) {
  if (ok) tally.answered += 1;
  else tally.lost += 1;
  running -= 1;
  const done = tally.answered + tally.lost;
  if (done % 100 === 0) tell({ done });
  if (done === total) {
    tally.seconds = (now() - start) / 1e9;
    tell({ total: tally });
    Object.values(agents).forEach((agent) => agent.destroy());
  } else more();
}

function send(number) {
  const path = `/${number}`;
  const kind = kinds === 'both' ? (number % 2 ? 'keep' : 'close') : kinds;
  const began = now();
  let settled = false;
  const fail = (request) => (error) => {
    if (settled) return;
    settled = true;
    if (request.reusedSocket) {
      tally.again += 1;
      send(number);
      return;
    }
    tell({ lost: path, began, ended: now(), code: error.code || String(error) });
    finish(false);
  };
  const request = http.get({ port, host: '127.0.0.1', path, agent: agents[kind] }, (response) => {
    let body = '';
    response.setEncoding('utf8').on('data', (chunk) => { body += chunk; });
    response.on('aborted', () => fail(request)(new Error('aborted'))).on('error', fail(request)).on('end', () => {
      if (settled || !response.complete) return;
      settled = true;
      if (body.split(' ').pop() !== path) tally.wrong += 1;
      finish(true);
    });
  }).on('error', (error) => fail(request)(error));
  request.on('socket', () => { if (!request.reusedSocket) tally.connections += 1; });
}

function more() {
  while (running < concurrency && next < total) {
    running += 1;
    next += 1;
    send(next);
  }
}
more();
