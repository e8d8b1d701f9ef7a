// bench.mjs <python> <result.json> <seconds>: aiforge and that Python's torch alternate on this machine's GPU, as in
// scripts/bench/run.mjs, until the seconds are over. It builds and installs nothing. Writes the rows as they come.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { compare, compareIn, line, Timer } from '../bench/alternate.mjs';
import { runMain } from '../provision/main.mjs';
import { projectRoot } from '../provision/paths.mjs';

const [python, resultFile, seconds] = process.argv.slice(2);
const end = performance.now() + Number(seconds) * 1000;
process.env.AIFORGE_BENCH_DEVICE ??= 'cuda';
const bench = join(projectRoot, 'scripts', 'bench');
const models = JSON.parse(readFileSync(join(bench, 'models.json'), 'utf8'));
const operators = ['add', 'mul_scalar', 'matmul', 'linear', 'layer_norm', 'sum', 'softmax', 'gelu', 'transpose', 'cat', 'where', 'index_select']; // prettier-ignore

const turns = 15;
const own = (row, title, rounds = 10) => [row, row, title, rounds];
const single = [
  ['add_in_scope', 'add2x2', '`add` on 2×2, in a scope', 10],
  ['add_outside', 'add2x2', '`add` on 2×2, outside any scope', 10],
  ...Object.entries(models).map(([name, { title, iterations }]) =>
    own(name, `training step: ${title}`, Math.max(5, 2 * iterations)),
  ),
  own('chain', '20 small operators, one by one'),
  own('graph_replay', 'the same as a replayed CUDA graph'),
  own('product', 'product of 4096×4096 in bfloat16', 4),
  own('upload', '256 MiB to the GPU', 2),
  own('upload_pinned', '256 MiB to the GPU from pinned memory', 4),
  own('download', '16 MiB from the GPU'),
];

await runMain(async () => {
  const ours = () => new Timer(process.execPath, [join(bench, 'node', 'bench.mjs')]);
  const theirs = () => new Timer(python, [join(bench, 'python', 'bench.py')]);
  const rows = [];
  const add = (row) => {
    rows.push(row);
    console.log(line(row));
    writeFileSync(resultFile, JSON.stringify(rows, null, 1));
  };
  const isOver = () => performance.now() > end;
  for (const row of single) if (!isOver()) add(await compare(ours, theirs, row, 1, turns));
  const pair = [ours(), theirs()];
  for (const name of operators) {
    if (!isOver()) add(await compareIn(pair, own(`op_${name}`, `\`${name}\` on 4×4, in a scope`, 5), 1, turns));
  }
  for (const timer of pair) timer.stop();
  if (isOver()) console.log(`${seconds} s are over: ${rows.length} rows measured`);
  return 0;
});
