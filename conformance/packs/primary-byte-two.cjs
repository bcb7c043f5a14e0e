// node reproduction.cjs [PROGRAM WORDS...]: PROGRAM is the runtime under test, such as `bun` or `deno run -A`.
const { spawn } = require('child_process'), cluster = require('cluster'), fs = require('fs');
const question = '{"cmd":"NODE_CLUSTER","act":"queryServer","address":"127.0.0.1","port":0,"addressType":4,"fd":-1,"flags":0,"index":0,"seq":1}';
if (process.env.SUBJECT) {
  const exec = `${require('os').tmpdir()}/worker-${process.pid}.sh`;
  fs.writeFileSync(exec, `echo ready; echo '${question}' >&3; read -r answer <&3; echo "$answer"`);
  cluster.setupPrimary({ exec }); process.execPath = '/bin/bash'; cluster.fork();
} else {
  const [program = process.execPath, ...words] = process.argv.slice(2);
  const child = spawn(program, [...words, __filename], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, SUBJECT: '1' } });
  let seen = '';
  child.stdout.on('data', (bytes) => { seen += bytes; });
  child.stdout.once('data', () => setTimeout(() => {
    const good = seen.includes('"ack":1');
    console.log(!seen.includes('ready') ? 'NOT STARTED' : good ? 'CONFORMS' : 'DEVIATES', JSON.stringify(seen));
    child.kill('SIGKILL'); process.exit(good ? 0 : 1);
  }, 1500));
}
