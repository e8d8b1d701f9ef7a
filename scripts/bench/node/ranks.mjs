// Two ranks that time collectives, steps of DistributedDataParallel and a store: rank 0 is asked, as bench.mjs is, and starts rank 1.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { distributed, nn, ones, optim, randn, scope, setNumThreads } from '../../../dist/lib/index.js';

const isFirst = process.env.RANK === undefined;
let peer;
if (isFirst) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  Object.assign(process.env, { RANK: '0', WORLD_SIZE: '2', MASTER_ADDR: '127.0.0.1', MASTER_PORT: String(port) });
  const env = { ...process.env, RANK: '1' };
  peer = spawn(process.execPath, [fileURLToPath(import.meta.url)], { env, stdio: ['pipe', 'ignore', 'inherit'] });
}
setNumThreads(1);
const { allReduce, barrier, DistributedDataParallel, initProcessGroup, TCPStore } = distributed;
await initProcessGroup();

const widths = { small: [300, 300, 30], large: [2000, 2000, 2000, 1000] };

function modelOf(name) {
  const sizes = widths[name];
  const layers = sizes.slice(1).flatMap((out, i) => [new nn.Linear(sizes[i], out), new nn.ReLU()]);
  return new nn.Sequential(...layers);
}

/** A step of a model, by `pass`, which goes forward and backward. */
function stepOf(name, model, pass) {
  const optimizer = new optim.SGD([...model.parameters()], { lr: 1e-6 });
  const x = randn([32, widths[name][0]]);
  return async () => {
    await scope(async () => {
      optimizer.zeroGrad();
      await pass(x);
      optimizer.step();
    });
  };
}

async function ddpStep(name) {
  const ddp = await DistributedDataParallel.create(modelOf(name));
  return stepOf(name, ddp.module, (x) => ddp.forward(x).square().mean().backward());
}

async function ddpStepAsync(name) {
  const ddp = await DistributedDataParallel.create(modelOf(name));
  return stepOf(name, ddp.module, async (x) => (await ddp.forwardAsync(x)).square().mean().backwardAsync());
}

function aloneStep(name) {
  const model = modelOf(name);
  return stepOf(name, model, (x) => model.forward(x).square().mean().backward());
}

const sum = (count) => {
  const tensor = ones([count]);
  return () => allReduce(tensor, { op: 'max' });
};

async function storeCall(call) {
  const store = await TCPStore.create({ port: 0, isServer: true });
  await store.set('key', 'value');
  return () => call(store);
}

// Each makes what is timed; those of `alone` are rank 0's only.
const rows = {
  all_reduce_1kb: () => sum(256),
  all_reduce_1mb: () => sum(262_144),
  all_reduce_64mb: () => sum(16_777_216),
  ddp_step_small: () => ddpStep('small'),
  ddp_step_large: () => ddpStep('large'),
  ddp_step_small_async: () => ddpStepAsync('small'),
  ddp_step_large_async: () => ddpStepAsync('large'),
};
const alone = {
  step_small: () => aloneStep('small'),
  step_large: () => aloneStep('large'),
  store_get: () => storeCall((store) => store.get('key')),
  store_add: () => storeCall((store) => store.add('count', 1)),
};

const made = new Map();
async function prepared(row) {
  if (!made.has(row)) made.set(row, await (rows[row] ?? alone[row])());
  return made.get(row);
}

async function time(row, rounds) {
  const run = await prepared(row);
  for (let i = 0; i < 3; ++i) await run();
  if (rows[row] !== undefined) await barrier();
  const start = process.hrtime.bigint();
  for (let i = 0; i < rounds; ++i) await run();
  return Number(process.hrtime.bigint() - start) / rounds;
}

/** The 99th percentile of the event loop's delay on rank 0, in ns, in steps in which rank 1 is 2 s late. */
async function lateness() {
  const run = await prepared('ddp_step_small_async');
  await run();
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  for (let i = 0; i < 2; ++i) {
    if (!isFirst) await delay(2000);
    await run();
  }
  delays.disable();
  return delays.percentile(99);
}

for await (const line of createInterface({ input: process.stdin })) {
  const { row, rounds } = JSON.parse(line);
  const isShared = rows[row] !== undefined || row === 'late_peer';
  if (isFirst && isShared) peer.stdin.write(`${line}\n`);
  try {
    const ns = row === 'late_peer' ? await lateness() : await time(row, rounds);
    if (isFirst) console.log(JSON.stringify({ ns }));
  } catch (error) {
    if (isFirst) console.log(JSON.stringify({ error: String(error.stack) }));
  }
}
peer?.stdin.end();
process.exit();
