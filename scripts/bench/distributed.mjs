// What ranks cost: collectives, steps of DistributedDataParallel and a store beside Python's, and the launcher beside torchrun.
import { spawnSync } from 'node:child_process';
import path from 'node:path';

import { projectRoot } from '../provision/paths.mjs';
import { compare, formatTime, Timer } from './alternate.mjs';
import { median } from './median.mjs';

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);

// row here, row in Python, title, rounds a turn, the ratio that it should reach
const rows = [
  ['all_reduce_1kb', 'all_reduce_1kb', '`allReduce` of 1 KB, 2 ranks', 300, 1.0],
  ['all_reduce_1mb', 'all_reduce_1mb', '`allReduce` of 1 MB, 2 ranks', 60, 1.0],
  ['all_reduce_64mb', 'all_reduce_64mb', '`allReduce` of 64 MB, 2 ranks', 3, 1.0],
  ['ddp_step_small', 'ddp_step_small', 'DistributedDataParallel step, 0.1 M parameters', 60, 1.0],
  ['ddp_step_large', 'ddp_step_large', 'DistributedDataParallel step, 10 M parameters', 3, 1.0],
  ['ddp_step_small_async', 'ddp_step_small', 'the same beside the event loop, 0.1 M parameters', 60, 1.0],
  ['ddp_step_large_async', 'ddp_step_large', 'the same beside the event loop, 10 M parameters', 3, 1.0],
  ['store_get', 'store_get', "`get` of a TCPStore's key", 500, 1.0],
  ['store_add', 'store_add', '`add` of a TCPStore', 500, 1.0],
];
const own = [
  ['ddp_step_small', 'step_small', 'DistributedDataParallel against a process alone, 0.1 M parameters', 60],
  ['ddp_step_large', 'step_large', 'DistributedDataParallel against a process alone, 10 M parameters', 3],
];

const ours = () => new Timer(process.execPath, [path.join(here, 'node', 'ranks.mjs')]);

/** Adds the rows; each rank has one thread. */
export async function measureDistributed(python, turns, add) {
  const theirs = () => new Timer(python, [path.join(here, 'python', 'ranks.py')]);
  for (const row of rows) add(await compare(ours, theirs, row, 1, turns));
  for (const row of own) add(await compare(ours, ours, row, 1, turns));
  add(launchers(python, turns));
  await lateness();
}

function timed(command, args) {
  const start = process.hrtime.bigint();
  const { status, stderr } = spawnSync(command, args, { cwd: projectRoot, stdio: ['ignore', 'ignore', 'pipe'] });
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`);
  return Number(process.hrtime.bigint() - start);
}

/** From the start of a launcher of two processes that do nothing to its end. */
function launchers(python, turns) {
  const launcher = path.join(projectRoot, 'dist', 'lib', 'cli', 'aiforge-launch.js');
  const torchrun = path.join(path.dirname(python), 'torchrun');
  const [a, b] = [[], []];
  for (let turn = 0; turn < turns; ++turn) {
    a.push(timed(process.execPath, [launcher, '--nproc', '2', '--', 'true']));
    b.push(timed(torchrun, ['--standalone', '--no-python', '--nproc-per-node', '2', 'true']));
  }
  const ratio = median(a.map((ns, i) => ns / b[i]));
  const title = '`aiforge-launch` against torchrun: 2 processes that do nothing';
  return {
    title,
    threads: '–',
    ours: formatTime(median(a)),
    theirs: formatTime(median(b)),
    ratio,
    goal: 0.1,
    turns: [a, b],
  };
}

async function lateness() {
  const timer = ours();
  const ns = await timer.time('late_peer', 1, 1);
  timer.stop();
  console.log(`event-loop delay, p99, while the other rank is 2 s late: ${formatTime(ns)} (goal: under 20 ms)`);
}
