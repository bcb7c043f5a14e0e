// node reproduction.cjs [PROGRAM WORDS...]: PROGRAM is the runtime under test, such as `bun` or `deno run -A`.
const { spawn } = require('child_process'), cluster = require('cluster');
if (process.env.SUBJECT && cluster.isMaster) {
  console.log('ready'); cluster.fork().on('exit', () => { console.log('alive'); process.exit(); });
} else if (process.env.SUBJECT) {
  process.send({ cmd: 'NODE_CLUSTER', act: 'queryServer', address: '127.0.0.1', port: 70000, addressType: 4, fd: -1, flags: 0, index: 0, seq: 1 }, () => setTimeout(process.exit, 500));
} else {
  const [program = process.execPath, ...words] = process.argv.slice(2);
  const child = spawn(program, [...words, __filename], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, SUBJECT: '1' } });
  let seen = '';
  child.stdout.on('data', (bytes) => { seen += bytes; }).on('end', () => {
    const good = seen.includes('alive');
    console.log(!seen.includes('ready') ? 'NOT STARTED' : good ? 'CONFORMS' : 'DEVIATES', JSON.stringify(seen));
    process.exit(good ? 0 : 1);
  });
}
