'use strict';
// The primary of conformance/README.md, for Node, Bun and Deno. Usage: primary.cjs [--advanced] POLICY INTERPRETER [-OPTION...] SCRIPT [WORD...]
const cluster = require('cluster');

const advanced = process.argv[2] === '--advanced';
const [policy, interpreter, ...words] = process.argv.slice(advanced ? 3 : 2);
const options = words.findIndex((word) => !word.startsWith('-'));
cluster.schedulingPolicy = policy === 'shared' ? cluster.SCHED_NONE : cluster.SCHED_RR;
(cluster.setupPrimary || cluster.setupMaster).call(cluster, {
  exec: words[options], args: words.slice(options + 1), execArgv: words.slice(0, options),
  serialization: advanced ? 'advanced' : 'json',
});
process.execPath = interpreter; // a primary knows no other way to choose it
const worker = cluster.fork();
worker.on('message', (message) => {
  if (message === 'disconnect') worker.disconnect();
  else worker.send({ echo: message });
});
cluster.on('exit', () => process.exit(0));
