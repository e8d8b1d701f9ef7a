// Each argument is what the rank of that number does once all ranks are ready; NAME:VALUE gives it a value.
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setInterval } from 'node:timers';
import { setTimeout as delay } from 'node:timers/promises';

const { RANK, WORLD_SIZE, READY_FOLDER, TORCHELASTIC_RESTART_COUNT, TORCHELASTIC_ERROR_FILE } = process.env;
const [name, value] = process.argv[2 + Number(RANK)].split(':');

const stopSignals = ['SIGINT', 'SIGTERM'];
const mark = (what) => join(READY_FOLDER, `${what}-${TORCHELASTIC_RESTART_COUNT}`);
const stayAlive = () => setInterval(() => undefined, 1000);

async function waitFor(file) {
  while (!existsSync(file)) await delay(10);
}

function startChild(options = {}) {
  const ignore = "process.on('SIGTERM', () => undefined);";
  const script = `${ignore} setInterval(() => undefined, 1000); console.log('child ' + process.pid);`;
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'], ...options });
    child.stdout.once('data', (text) => {
      process.stdout.write(text);
      child.unref();
      child.stdout.unref();
      resolve();
    });
  });
}

const save = () =>
  stopSignals.forEach((signal) =>
    process.on(signal, async () => {
      console.log(`saving after ${signal}`);
      await delay(200);
      process.exit(signal === 'SIGINT' ? 130 : 143);
    }),
  );

const prepare = {
  stubborn: () => stopSignals.forEach((signal) => process.on(signal, () => console.log(`ignored ${signal}`))),
  save,
  'suspend-then-save': save,
  'suspend-then-tell': () => process.on('SIGTERM', () => lose(tooLate)),
  family: () => startChild(),
  leave: () => startChild(),
  session: () => startChild({ detached: true }),
  'leave-session': () => startChild({ detached: true }),
  'throw-late': () => process.on('SIGTERM', () => undefined),
};

const lost = 'AiforgeError: barrier failed: Read error. Another rank has ended: its own output says why.';
const tooLate = 'AiforgeError: barrier failed: Timed out waiting 500ms for recv operation to complete';

async function lose(message) {
  await delay(Number(value ?? 0));
  writeFileSync(TORCHELASTIC_ERROR_FILE, JSON.stringify({ message }));
  process.exit(1);
}

const suspend = () => {
  stayAlive();
  process.kill(process.pid, 'SIGSTOP');
};

async function show(message) {
  await delay(Number(value ?? 0));
  console.error(new Error(message));
  process.exit(1);
}

async function wrap(error) {
  await delay(Number(value ?? 0));
  throw error;
}

const act = {
  ok: () => undefined,
  wait: stayAlive,
  stubborn: stayAlive,
  save: stayAlive,
  family: stayAlive,
  session: stayAlive,
  suspend: () => process.kill(process.pid, 'SIGSTOP'),
  'suspend-then-tell': suspend,
  'suspend-then-save': suspend,
  'leave-session': () => process.exit(Number(value)),
  leave: () => process.exit(Number(value)),
  busy: () => {
    for (;;);
  },
  throw: () => {
    throw new RangeError(`rank ${RANK} threw`);
  },
  'throw-late': async () => {
    await delay(Number(value));
    throw new RangeError(`rank ${RANK} threw`);
  },
  'throw-object': () => {
    throw { why: 'object thrown' };
  },
  'throw-text': () => {
    throw 'a text';
  },
  'throw-bare': () => {
    throw Object.create(null);
  },
  never: () => undefined,
  // What ranks record that have lost another one.
  lose: () => lose(lost),
  'lose-store': () => lose('AiforgeError: store.get failed: the connection to the store was closed (Broken pipe).'),
  'lose-in-python': () => lose({ message: 'RuntimeError: [gloo/pair.cc:522] Connection closed by peer [127.0.0.1]:1' }),
  // What c10d says of a rank that did not come.
  'wait-in-vain': () => lose(tooLate),
  // The same, of ranks that catch the error, and show it or throw another.
  'show-lost': () => show(lost),
  'show-in-vain': () => show(tooLate),
  'wrap-lost': () => wrap(new Error('training failed', { cause: new Error(lost) })),
  'wrap-in-vain': () =>
    wrap(new Error('training failed', { cause: new Error('step 7', { cause: new Error(tooLate) }) })),
  'gather-in-vain': () => wrap(new AggregateError([new Error(tooLate), new Error(lost)], 'training failed')),
  'wrap-own': () => wrap(new Error('training failed', { cause: new RangeError('a reason of its own') })),
  'raise-in-python': async () => {
    await delay(Number(value ?? 0));
    const py_callstack = `RuntimeError: ${tooLate}\n\nThe above exception was the direct cause of the following exception:\n…`;
    const message = { message: 'ValueError: training failed', extraInfo: { py_callstack } };
    writeFileSync(TORCHELASTIC_ERROR_FILE, JSON.stringify({ message }));
    process.exit(1);
  },
  exit: () => {
    console.error(`rank ${RANK} gives up`);
    process.exitCode = Number(value);
  },
  die: () => process.kill(process.pid, value),
  'fail-once': () => process.exit(TORCHELASTIC_RESTART_COUNT === '0' ? 5 : 0),
  'python-error': () => {
    const message = { message: 'ValueError: no', extraInfo: { py_callstack: 'Traceback: here', timestamp: '1' } };
    writeFileSync(TORCHELASTIC_ERROR_FILE, JSON.stringify({ message }));
    process.exit(1);
  },
  // Records its error first but ends after the rank that fails because of it.
  'slow-to-end': () => {
    stayAlive();
    writeFileSync(TORCHELASTIC_ERROR_FILE, JSON.stringify({ message: 'the cause' }));
    setTimeout(() => writeFileSync(mark('cause'), ''), 50);
    process.on('SIGTERM', () => process.exit(7));
  },
  'fail-after-cause': async () => {
    await waitFor(mark('cause'));
    writeFileSync(TORCHELASTIC_ERROR_FILE, JSON.stringify({ message: 'a consequence' }));
    process.exit(8);
  },
};

await prepare[name]?.();
console.log(`pid ${process.pid} port ${process.env.MASTER_PORT}`);
writeFileSync(mark(`ready-${RANK}`), '');
for (let rank = 0; rank < Number(WORLD_SIZE); rank++) await waitFor(mark(`ready-${rank}`));
console.log('all ready');
act[name]();
if (name === 'never') await new Promise(() => undefined);
