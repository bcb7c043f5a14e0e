// node reproduction.cjs [PROGRAM WORDS...]: PROGRAM is the runtime under test, such as `bun` or `deno run -A`.
const { spawn } = require('child_process'), net = require('net');
if (process.env.SUBJECT) {
  process.on('message', (message) => process.send(message));
  console.log('ready');
} else {
  const [program = process.execPath, ...words] = process.argv.slice(2);
  let seen = '', env = { ...process.env, SUBJECT: '1', NODE_CHANNEL_FD: '3', NODE_CHANNEL_SERIALIZATION_MODE: 'none' };
  const child = spawn(program, [...words, __filename], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'], env });
  const end = () => { child.kill('SIGKILL'); const good = child.pid && !seen.includes('1\n');
    console.log(!child.pid ? 'NOT STARTED' : good ? 'CONFORMS' : 'DEVIATES', JSON.stringify(seen.slice(-300)));
    process.exit(good ? 0 : 1); };
  for (const part of [child.stdout, child.stdio[3]]) part.on('data', (bytes) => { seen += bytes; }).on('error', () => {});
  child.stdio[3].write("1\n");
  child.on('error', end).on('exit', () => setTimeout(end, 300)).stdout.once('data', () => setTimeout(end, 1500));
}
