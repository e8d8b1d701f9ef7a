// `npm run bench`: aiforge and Python's torch alternate in one run, at one thread and at two; prints medians and ratios.
// `--write` puts the table into docs/benchmarks.md. `--quick` takes fewer turns. `--model gpt_small` measures that row of
// models.json alone (repeatable), `--model all` all of them, `--loop` the framework's loop alone,
// `--distributed` what several ranks do alone, `--data` the loading of data alone, `--stream` memory over 10 GB of streams, which nothing
// else measures.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { build } from '../build.mjs';
import { runMain } from '../provision/main.mjs';
import { projectRoot } from '../provision/paths.mjs';
import { installReference, referencePython } from '../provision/reference.mjs';
import { compare, compareIn, formatTime, line, Timer } from './alternate.mjs';
import { measureData } from './data.mjs';
import { measureDistributed } from './distributed.mjs';
import { measureLoop } from './loop.mjs';
import { median } from './median.mjs';
import { measureStreams } from './streams.mjs';

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    model: { type: 'string', multiple: true },
    loop: { type: 'boolean', default: false },
    distributed: { type: 'boolean', default: false },
    data: { type: 'boolean', default: false },
    stream: { type: 'boolean', default: false },
  },
});
const isQuick = flags.quick;
const turns = isQuick ? 5 : 11;

// row here, row in Python, title, rounds a turn, the ratio that it should reach
const rows = [
  ['add_in_scope', 'add2x2', '`add` on 2×2, in a scope', 10, 0.6],
  ['add_outside', 'add2x2', '`add` on 2×2, outside any scope', 10, 1.2],
  ['mlp_step', 'mlp_step', 'MLP step (batch 32, 4 layers of 64, fused AdamW)', 40, 0.65],
  ['transformer_step', 'transformer_step', 'Transformer step (batch 8, length 128, dim 256, 2 layers)', 8, 1.0],
];

const conversionRows = [
  ['index_row', 'index_row', '`x.at(1)` on 8×8, in a scope', 10, 0.9],
  ['index_block', 'index_block', "`x.at('1:5', '::2')` on 8×8, in a scope", 10, 0.9],
  ['index_mask', 'index_mask', '`x.at(mask)` on 8×8, in a scope', 10, 0.9],
  ['tolist', 'tolist', '`tolist` of 100×100', 20],
  ['custom_function', 'custom_function', 'custom Function, forward and backward', 10],
  ['gradcheck', 'gradcheck', '`gradcheck` of a small model', 10],
];

const optimizerRows = [
  ['adam_fused_500', 'adam_fused_500', 'fused Adam step on 500 parameters', 20, 0.5],
  ['adamw_fused_500', 'adamw_fused_500', 'fused AdamW step on 500 parameters', 20, 0.5],
  ['sgd_fused_500', 'sgd_fused_500', 'fused SGD step with momentum on 500 parameters', 20, 0.5],
];

const fileRows = [
  ['save_500mb', 'save_500mb', '`save` of 500 MB', 1, 1],
  ['load_500mb', 'load_500mb', '`load` of 500 MB', 1, 1],
];

// Against a memcpy of the same 10 MB in Node.
const copyRows = [
  ['typed_array', 'memcpy', '`tensor(typedArray)` of 10 MB against memcpy', 20, 1.2],
  ['shared_array', 'memcpy', '`fromTypedArray` over 10 MB of shared memory against memcpy', 20, 0.01],
];

const models = JSON.parse(readFileSync(path.join(here, 'models.json'), 'utf8'));

const modelTitle = ({ title }) => `Training step: ${title}`;

/** The rows of some models: the step at one thread and at two, and the peak resident memory. */
async function measureModels(names, startOurs, startTheirs, python, add) {
  for (const threads of [1, 2]) {
    for (const name of names) {
      const { iterations, goal } = models[name];
      const row = [name, name, modelTitle(models[name]), Math.max(4, 2 * iterations), goal];
      add(await compare(startOurs, startTheirs, row, threads, turns));
    }
  }
  for (const name of names) add(peakRow(name, python));
}

/** Peaks of fresh processes, which take turns. */
function peakRow(name, python) {
  const steps = '30';
  const read = (command, ...args) => JSON.parse(execFileSync(command, args, { cwd: projectRoot }).toString()).bytes;
  const pairs = Array.from({ length: 3 }, () => [
    read(process.execPath, path.join(here, 'node', 'peak.mjs'), name, steps),
    read(python, path.join(here, 'python', 'peak.py'), name, steps),
  ]);
  return {
    title: `Peak resident memory: ${models[name].title}`,
    threads: 1,
    ours: megabytes(median(pairs.map(([a]) => a))),
    theirs: megabytes(median(pairs.map(([, b]) => b))),
    ratio: median(pairs.map(([a, b]) => a / b)),
    goal: 1,
  };
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;

/** Common operators on small tensors, in scopes: all in one pair of processes, since each takes nanoseconds. */
async function operatorRows(startOurs, startTheirs, add) {
  const { operatorNames } = await import('./node/operators.mjs');
  const pair = [startOurs(), startTheirs()];
  for (const name of operatorNames) {
    add(await compareIn(pair, [`op_${name}`, `op_${name}`, `\`${name}\` on 4×4, in a scope`, 10, 0.9], 1, turns));
  }
  for (const timer of pair) timer.stop();
}

function importRow(python) {
  const node = path.join(here, 'node', 'import-aiforge.mjs');
  const script = path.join(here, 'python', 'import_torch.py');
  const read = (command, args) => JSON.parse(execFileSync(command, args, { cwd: projectRoot }).toString());
  const pairs = Array.from({ length: turns }, () => [read(process.execPath, [node]), read(python, [script])]);
  const ratioOf = (field) => median(pairs.map(([a, b]) => a[field] / b[field]));
  const medianOf = (side, field) => median(pairs.map((pair) => pair[side][field]));
  return [
    {
      title: '`import`, time',
      threads: '–',
      ours: formatTime(medianOf(0, 'ns')),
      theirs: formatTime(medianOf(1, 'ns')),
      ratio: ratioOf('ns'),
      goal: 0.3,
    },
    {
      title: '`import`, resident memory',
      threads: '–',
      ours: megabytes(medianOf(0, 'rss_bytes')),
      theirs: megabytes(medianOf(1, 'rss_bytes')),
      ratio: ratioOf('rss_bytes'),
      goal: 0.75,
    },
  ];
}

function memory() {
  const script = path.join(here, 'node', 'memory.mjs');
  const read = (...args) =>
    JSON.parse(execFileSync(process.execPath, [script, ...args], { cwd: projectRoot }).toString());
  const { peakMb } = read('adds', '20000');
  const { beforeMb, afterMb } = read('steps', isQuick ? '10000' : '100000');
  return [
    `- 20,000 synchronous 1-MB adds, nothing disposed, no \`await\`: peak resident memory ${peakMb} MB (goal: under 400).`,
    `- ${isQuick ? '10,000' : '100,000'} MLP training steps: ${beforeMb} MB resident before, ${afterMb} MB after.`,
  ];
}

function tfjsRow(startOurs) {
  const folder = path.join(here, 'tfjs');
  if (!existsSync(path.join(folder, 'node_modules'))) {
    execFileSync('npm', ['ci', '--ignore-scripts'], { cwd: folder, stdio: 'inherit' });
  }
  const startTheirs = () => new Timer(process.execPath, [path.join(folder, 'bench.mjs')]);
  const row = ['mlp_step', 'mlp_step', 'MLP step against TensorFlow.js (wasm backend, Adam)', 10];
  return compare(startOurs, startTheirs, row, 1, turns);
}

function writeTable(lines) {
  const file = path.join(projectRoot, 'docs', 'benchmarks.md');
  const [before, rest] = readFileSync(file, 'utf8').split('<!-- table -->');
  const after = rest.split('<!-- end -->')[1];
  writeFileSync(file, `${before}<!-- table -->\n\n${lines.join('\n')}\n\n<!-- end -->${after}`);
}

await runMain(async () => {
  await build({ tests: true });
  if (flags.stream) {
    measureStreams(isQuick);
    return 0;
  }
  // Its rows need no reference.
  if (!flags.loop) await installReference();
  const python = referencePython();
  const ours = () => new Timer(process.execPath, [path.join(here, 'node', 'bench.mjs')]);
  const theirs = () => new Timer(python, [path.join(here, 'python', 'bench.py')]);
  const lines = ['| what | threads | aiforge | the other | ratio | goal |', '| --- | --- | --- | --- | --- | --- |'];
  console.log(`${turns} turns each; ${cpus()[0].model}, Node ${process.version}\n\n${lines.join('\n')}`);
  const add = (row) => {
    lines.push(line(row));
    console.log(line(row));
  };
  if (flags.loop) {
    await measureLoop(turns, add);
    return 0;
  }
  if (flags.distributed) {
    await measureDistributed(python, turns, add);
    return 0;
  }
  if (flags.data) {
    await measureData(python, [ours, theirs], turns, add);
    return 0;
  }
  if (flags.model !== undefined) {
    const names = flags.model.includes('all') ? Object.keys(models) : flags.model;
    await measureModels(names, ours, theirs, python, add);
    return 0;
  }
  for (const threads of [1, 2]) for (const row of rows) add(await compare(ours, theirs, row, threads, turns));
  await measureModels(Object.keys(models), ours, theirs, python, add);
  await measureLoop(turns, add);
  await measureDistributed(python, turns, add);
  for (const row of importRow(python)) add(row);
  for (const row of conversionRows) add(await compare(ours, theirs, row, 1, turns));
  await measureData(python, [ours, theirs], turns, add);
  for (const row of fileRows) add(await compare(ours, theirs, row, 1, turns));
  for (const row of optimizerRows) add(await compare(ours, theirs, row, 1, turns));
  for (const row of copyRows) add(await compare(ours, ours, row, 1, turns));
  await operatorRows(ours, theirs, add);
  add(await tfjsRow(ours));
  const notes = memory();
  console.log(`\n${notes.join('\n')}`);
  if (flags.write) writeTable([...lines, '', ...notes]);
  return 0;
});
