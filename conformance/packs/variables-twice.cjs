// node reproduction.cjs [PROGRAM WORDS...]: PROGRAM is the runtime under test, such as `bun` or `deno run -A`.
const { spawn } = require('child_process');
if (process.env.SUBJECT) {
  const env = { ...process.env, NODE_CHANNEL_FD: '99' };
  spawn('/usr/bin/env', [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env });
} else {
  const [program = process.execPath, ...words] = process.argv.slice(2);
  const child = spawn(program, [...words, __filename], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, SUBJECT: '1' } });
  let seen = '';
  child.stdout.on('data', (bytes) => { seen += bytes; }).on('end', () => {
    const count = seen.split('NODE_CHANNEL_FD=').length - 1;
    console.log(count === 0 ? 'NOT STARTED' : count === 1 ? 'CONFORMS' : 'DEVIATES', count);
    process.exit(count === 1 ? 0 : 1);
  });
}
