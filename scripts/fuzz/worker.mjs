// The thread of workers.mjs: makes its calls over and over, and changes the tensors that it was sent.
import { parentPort, workerData } from 'node:worker_threads';
import { makeCall } from './calls.mjs';
import { loadLibrary } from './library.mjs';

const library = loadLibrary();
const { calls, tokens } = workerData;
const shared = tokens.map((token) => library.tensor.fromShared(token));
parentPort.postMessage('begun');
for (;;) {
  for (const call of calls) {
    await makeCall(library, call, () => undefined);
    library.scope(() => shared.forEach((x) => x.mul_(2).add(1).sum()));
  }
}
