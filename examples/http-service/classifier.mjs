// The worker of server.mjs: loads the model once, then answers one text at a time.
import { parentPort, workerData } from 'node:worker_threads';

import { loadRun, setNumThreads } from 'aiforge';

setNumThreads(1);
const run = loadRun(workerData.runDirectory);
const names = ['ham', 'spam'];

parentPort.on('message', ({ id, text }) => {
  try {
    const [{ label, probabilities }] = run.classify([{ text }]);
    parentPort.postMessage({ id, prediction: { label: names[label], probability: probabilities[label] } });
  } catch (error) {
    parentPort.postMessage({ id, error: error.message });
  }
});

parentPort.postMessage({ ready: true });
