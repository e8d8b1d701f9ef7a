// aiforge's side of the benchmark: a process that times a row whenever it is asked to, as python/bench.py does.
import { createInterface } from 'node:readline';

import { setNumThreads } from 'aiforge';

import { median } from '../median.mjs';
import { prepare, rows, runRound } from './rows.mjs';

for await (const line of createInterface({ input: process.stdin })) {
  const { row, threads, rounds } = JSON.parse(line);
  if (!(row in rows)) throw new Error(`unknown row '${row}'`);
  setNumThreads(threads);
  const iterate = prepare(row);
  runRound(row, iterate);
  const times = Array.from({ length: rounds }, () => runRound(row, iterate));
  process.stdout.write(`${JSON.stringify({ row, threads, rounds, ns: median(times) })}\n`);
}
