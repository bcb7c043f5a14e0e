// node reproduction.cjs [PROGRAM WORDS...]: PROGRAM is the runtime under test, such as `bun` or `deno run -A`.
const { spawn } = require('child_process'), net = require('net');
if (process.env.SUBJECT) {
  const server = net.createServer((near) => process.send(1, near)).listen(0, () => net.connect(server.address().port)); process.on('message', () => {});
  console.log('ready');
} else {
  const [program = process.execPath, ...words] = process.argv.slice(2);
  let seen = '', env = { ...process.env, SUBJECT: '1', NODE_CHANNEL_FD: '3' };
  const child = spawn(program, [...words, __filename], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'], env });
  const end = () => { child.kill('SIGKILL'); const good = /"net.Socket"[^\n]*"key":"/.test(seen);
    console.log(!seen.includes('"net.Socket"') ? 'NOT STARTED' : good ? 'CONFORMS' : 'DEVIATES', JSON.stringify(seen.slice(-300)));
    process.exit(good ? 0 : 1); };
  for (const part of [child.stdout, child.stdio[3]]) part.on('data', (bytes) => { seen += bytes; }).on('error', () => {});
  child.on('exit', () => setTimeout(end, 300)).stdout.once('data', () => setTimeout(end, 1500));
}
