// node reproduction.cjs [PROGRAM WORDS...]: PROGRAM is the runtime under test, such as `bun` or `deno run -A`.
const { spawn } = require('child_process');
if (process.env.SUBJECT) {
  const child = spawn('sh', ['-c', '(sleep 0.5; echo 1 >&3) & exit 0'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  child.on('message', (message) => console.log('got', message)).on('exit', () => console.log('ready'));
} else {
  const [program = process.execPath, ...words] = process.argv.slice(2);
  const child = spawn(program, [...words, __filename], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, SUBJECT: '1' } });
  let seen = '';
  child.stdout.on('data', (bytes) => { seen += bytes; });
  child.stdout.once('data', () => setTimeout(() => {
    const good = seen.includes('got 1');
    console.log(!seen.includes('ready') ? 'NOT STARTED' : good ? 'CONFORMS' : 'DEVIATES', JSON.stringify(seen));
    child.kill('SIGKILL'); process.exit(good ? 0 : 1);
  }, 2000));
}
