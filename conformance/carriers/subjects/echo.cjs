// Real packages of npm as subjects: `echo.cjs NAME [PATH]`. CARRIER_PACKAGES is the folder of their node_modules.
const { createRequire } = require('module');
const packages = createRequire(process.env.CARRIER_PACKAGES + '/node_modules/');
const [name, path] = process.argv.slice(2);
const attempt = (text) => {
  try { return { seen: JSON.parse(text) }; } catch { return { error: true }; }
};
const line = (value) => process.stdout.write(JSON.stringify(value) + '\n');

const subjects = {
  // Lines as `readline` cuts them.
  readline: () => {
    const lines = require('readline').createInterface({ input: process.stdin, crlfDelay: Infinity });
    lines.on('line', (text) => line(attempt(text)));
  },
  'vscode-jsonrpc': () => {
    const rpc = packages('vscode-jsonrpc/node');
    const reader = new rpc.StreamMessageReader(process.stdin);
    const writer = new rpc.StreamMessageWriter(process.stdout);
    reader.onError(() => writer.write({ error: true }));
    reader.listen((seen) => writer.write({ seen }));
  },
  'node-ipc': async (version) => {
    const file = packages.resolve(version === 9 ? 'node-ipc-9' : 'node-ipc');
    const ipc = version === 9 ? require(file) : (await import(file)).default;
    ipc.config.silent = true;
    ipc.serve(path, () => console.log('ready'));
    let last;
    const publish = ipc.server.publish.bind(ipc.server);
    // What any handler would get; a third argument is the socket of an event.
    ipc.server.publish = (type, data, socket) => {
      if (type === 'connect' && !socket) last = data;
      const bad = type === 'error' && data && data.message === 'Invalid JSON response format';
      if (bad && socket) ipc.server.emit(socket, 'answer', { error: true });
      else if (socket) ipc.server.emit(socket, 'answer', { seen: { type, data } });
      else if (type === 'error' && last && !last.destroyed) ipc.server.emit(last, 'answer', { error: true });
      else if (type !== 'error') publish(type, data);
    };
    ipc.server.start();
  },
};
const [kind, version] = name.split('@');
subjects[kind](Number(version));
