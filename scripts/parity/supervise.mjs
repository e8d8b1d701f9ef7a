// Starts workers that run entries of op_db, and goes on with a new one where a worker dies.
import path from 'node:path';
import { ProvisionError } from '../provision/main.mjs';
import { acceptedErrors, knownDifferences, withoutOperator } from './lists.mjs';
import { firstHeader, superviseWorkers } from './workers.mjs';

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);

/** The entries of op_db and the names of LibTorch's operators. */
export async function listEntries(python) {
  const header = await firstHeader(python, [path.join(here, 'opdb.py'), '--list']);
  if (header === null) throw new ProvisionError('Python could not list op_db: see above.');
  const entries = header.entries.map((entry, index) => ({ ...entry, index }));
  return { entries, operators: new Set(header.operators) };
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
export async function runEntries(python, entries, { first, autocast }, print = console.log) {
  const results = [];
  const add = (result) => {
    results.push({ ...empty, ...result, name: entries[results.length].name });
    report(results.at(-1), results.length, entries.length, print);
  };
  const requests = entries.map(({ index }) => ({ entry: index, first, autocast }));
  await superviseWorkers([path.join(here, 'worker.mjs'), python], requests, add, (message) =>
    add({ samples: 1, failed: 1, failures: [{ dtype: '', sample: '', message }] }),
  );
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
