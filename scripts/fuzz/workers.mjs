// Threads that make calls on tensors which they share with this one, until they are ended in the middle of their work.
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describeArguments } from './describe.mjs';
import { makeTensor } from './tensors.mjs';

const file = new URL('worker.mjs', import.meta.url);
const OPERATORS = 20;

/** What a thread does, for the description of a call. */
export function describeWorker(random, targets, native, corpus) {
  const operators = targets.filter(({ via }) => via === 'operator');
  const calls = random.list(OPERATORS, () => {
    const { name } = random.pick(operators);
    const schema = native.schema(name);
    return { via: 'operator', name, way: 'call', args: describeArguments(random, schema, corpus(name, schema)) };
  });
  const dtype = random.pick(['float32', 'float64', 'uint8']);
  const shared = random.list(3, (i) => ({ k: 'tensor', dtype, shape: [16, 16 * 4 ** i], seed: i + 1 }));
  return { calls, shared, lives: random.int(0, 40), waits: random.chance(0.8) };
}

/** Starts the described thread, works on what it works on, and ends it. */
export async function endWorker(library, { calls, shared, lives, waits }) {
  const { tensor, wrapHandle, scope, enterContext } = library;
  enterContext();
  const own = shared.map((description) => wrapHandle(makeTensor(library, description)));
  const tokens = own.map((x) => tensor.share(x));
  const worker = new Worker(file, { workerData: { calls, tokens } });
  const exit = new Promise((resolve) => worker.once('exit', resolve));
  let failure;
  worker.on('error', (error) => (failure = error));
  if (waits) await Promise.race([once(worker, 'message'), exit]);
  for (let i = 0; i < lives; ++i) {
    scope(() => own.forEach((x) => x.add_(1).matmul(x.t().contiguous())));
    if (i % 8 === 0) await delay(1);
  }
  await worker.terminate();
  await exit;
  tokens.forEach(tensor.releaseShared);
  own.forEach((x) => x.dispose());
  return failure === undefined ? { code: 'OK' } : { code: 'FOREIGN', error: failure };
}
