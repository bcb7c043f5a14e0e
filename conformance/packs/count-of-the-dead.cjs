// node reproduction.cjs [PROGRAM WORDS...]: PROGRAM is the runtime under test, such as `bun` or `deno run -A`.
const { spawn } = require('child_process'), net = require('net');
if (process.env.SUBJECT) {
  const answer = 'read line <&3; echo \'{"cmd":"NODE_HANDLE_ACK"}\' >&3; sleep 0.3';
  const child = spawn('sh', ['-c', answer], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }); setTimeout(() => {}, 9e3);
  const server = net.createServer((near) => child.send(1, near)).listen(0, () => net.connect(server.address().port));
  child.on('exit', () => setTimeout(() => { server.getConnections(() => console.log('called')); console.log('ready'); }, 100));
} else {
  const [program = process.execPath, ...words] = process.argv.slice(2);
  const child = spawn(program, [...words, __filename], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, SUBJECT: '1' } });
  let seen = '';
  child.stdout.on('data', (bytes) => { seen += bytes; });
  child.stdout.once('data', () => setTimeout(() => {
    const good = seen.includes('called');
    console.log(!seen.includes('ready') ? 'NOT STARTED' : good ? 'CONFORMS' : 'DEVIATES', JSON.stringify(seen));
    child.kill('SIGKILL'); process.exit(good ? 0 : 1);
  }, 2000));
}
