import { readdirSync } from 'node:fs';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';

import { getNumThreads, ones, setNumThreads } from 'aiforge';

// Prints how many threads operators have and how many one starts, in this thread and in a worker. SET: for setNumThreads.

const tasks = (): number => readdirSync('/proc/self/task').length;

function measure() {
  const before = tasks();
  ones([4_000_000]).add(1);
  return { threads: getNumThreads(), started: tasks() - before };
}

if (isMainThread) {
  if (process.env.SET !== undefined) setNumThreads(Number(process.env.SET));
  const main = measure();
  new Worker(fileURLToPath(import.meta.url)).on('message', (worker: typeof main) =>
    console.log(JSON.stringify({ main, worker })),
  );
} else parentPort!.postMessage(measure());
