// node reproduction.cjs [PROGRAM WORDS...]: PROGRAM is the runtime under test, such as `bun` or `deno run -A`.
const { spawn } = require('child_process'), net = require('net');
if (process.env.SUBJECT) {
  process.on('message', (message, handle) => console.log('got', message, Boolean(handle)));
  console.log('ready');
} else {
  const { Pipe } = process.binding('pipe_wrap'), { readStart } = Pipe.prototype, { WriteWrap } = process.binding('stream_wrap');
  let channel; Pipe.prototype.readStart = function () { if ('pendingHandle' in this) channel = this; return readStart.call(this); };
  const [program = process.execPath, ...words] = process.argv.slice(2);
  let seen = '', env = { ...process.env, SUBJECT: '1' };
  const child = spawn(program, [...words, __filename], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'], env });
  const end = () => { child.kill('SIGKILL'); const good = seen.includes('got 1 true') && !seen.includes('NODE_SOCKET_COUNT');
    console.log(!seen.includes('ready') ? 'NOT STARTED' : good ? 'CONFORMS' : 'DEVIATES', JSON.stringify(seen.slice(-300)));
    process.exit(good ? 0 : 1); };
  Object.defineProperty(child, '_handleQueue', { get: () => [], set() {} });
  const write = (text, handle) => channel.writeUtf8String(new WriteWrap(), text, handle && handle._handle);
  child.on('internalMessage', (message) => { seen += message.cmd + ' '; }).stdout.on('data', (bytes) => { seen += bytes; });
  const a = net.createServer().listen(0, () => { write('{"cmd":"NODE_HANDLE","type":"net.Server","msg":1,"key":"k"}\n', a); write('{"cmd":"NODE_SOCKET_GET_COUNT","key":"k"}\n'); });
  child.on('exit', () => setTimeout(end, 300)).stdout.once('data', () => setTimeout(end, 1500));
}
