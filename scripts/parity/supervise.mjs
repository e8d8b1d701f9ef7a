// Starts workers that run entries, and goes on with a new one where a worker dies.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ProvisionError } from '../provision/main.mjs';
import { readFrames } from './frames.mjs';
import { acceptedErrors, knownDifferences, withoutOperator } from './lists.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const SILENCE_MS = 300_000;
const environment = { ...process.env, OMP_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1' };

/** The entries of op_db and the names of LibTorch's operators. */
export async function listEntries(python) {
  const stdio = ['ignore', 'inherit', 'inherit', 'pipe'];
  const child = spawn(python, [path.join(here, 'opdb.py'), '--list'], { stdio, env: environment });
  for await (const { header } of readFrames(child.stdio[3])) {
    const entries = header.entries.map((entry, index) => ({ ...entry, index }));
    return { entries, operators: new Set(header.operators) };
  }
  throw new ProvisionError('Python could not list op_db: see above.');
}

const empty = {
  samples: 0,
  gradients: 0,
  methods: 0,
  inPlace: 0,
  tensors: 0,
  identical: 0,
  refusals: 0,
  sameMessage: 0,
  accepted: 0,
  acceptedInputs: [],
  failed: 0,
  failures: [],
};

/** The results of all entries, in order; failures and the progress are printed as they come. */
export async function runEntries(python, entries, first, print = console.log) {
  const results = [];
  const add = (result) => {
    results.push({ ...empty, ...result, name: entries[results.length].name });
    report(results.at(-1), results.length, entries.length, print);
  };
  while (results.length < entries.length) {
    const ended = await runWorker(python, entries.slice(results.length), first, add);
    if (ended === null) continue;
    const failures = [{ dtype: '', sample: '', message: ended }];
    add({ samples: 1, failed: 1, failures });
  }
  return results;
}

// What the lists account for is in the summary, and would hide here what they do not.
function report({ name, failed, samples, failures, acceptedInputs }, done, all, print) {
  if (done % 50 === 0 || done === all) print(`  ${done} of ${all}`);
  if (!acceptedErrors.has(name)) {
    for (const { sample, message } of acceptedInputs) print(`  ${name}, error ${sample}: ${message.split('\n')[0]}`);
  }
  if (failed === 0 || knownDifferences.has(name) || withoutOperator.has(name)) return;
  print(`  ${name}: ${failed} failures, ${samples} samples`);
  for (const { dtype, sample, message } of failures) print(`    ${dtype} ${sample}: ${message.split('\n')[0]}`);
}

/** Runs entries until the worker ends; null when it has run all of them, else why it ended before. */
async function runWorker(python, entries, first, add) {
  const stdio = ['pipe', 'pipe', 'inherit'];
  const child = spawn(process.execPath, [path.join(here, 'worker.mjs'), python], { stdio, env: environment });
  const exit = new Promise((resolve) => child.on('close', (status, signal) => resolve({ status, signal })));
  child.stdin.on('error', () => {});
  for (const { index } of entries) child.stdin.write(`${JSON.stringify({ entry: index, first })}\n`);
  child.stdin.end();
  let left = entries.length;
  let isSilent = false;
  const stop = () => {
    isSilent = true;
    child.kill('SIGKILL');
  };
  let timer = setTimeout(stop, SILENCE_MS);
  for await (const line of createInterface({ input: child.stdout })) {
    clearTimeout(timer);
    timer = setTimeout(stop, SILENCE_MS);
    add(JSON.parse(line));
    left -= 1;
  }
  clearTimeout(timer);
  const { status, signal } = await exit;
  if (left === 0) return null;
  return isSilent ? `no answer for ${SILENCE_MS / 1000} s` : `the process ended with ${signal ?? `status ${status}`}`;
}
