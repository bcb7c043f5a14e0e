'use strict';
// Node's own primary, for comparison. Usage: primary.cjs POLICY WORKERS SCRIPT ARGUMENTS... Writes "ready" when all workers listen; ends with its stdin.
const cluster = require('cluster');

const [policy, workers, exec, ...args] = process.argv.slice(2);
cluster.schedulingPolicy = policy === 'shared' ? cluster.SCHED_NONE : cluster.SCHED_RR;
(cluster.setupPrimary || cluster.setupMaster).call(cluster, { exec, args });
let listening = 0;
cluster.on('listening', () => { listening += 1; if (listening === +workers) console.log('ready'); });
for (let number = 0; number < +workers; number += 1) cluster.fork();
process.stdin.resume().on('end', () => process.exit(0));
