// Has workers run the classes of torch.nn, and prints what differs as it comes.
import path from 'node:path';
import { ProvisionError } from '../../provision/main.mjs';
import { firstHeader, superviseWorkers } from '../workers.mjs';
import { knownDifferences } from './lists.mjs';

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const FAILURES_SHOWN = 3;

/** The classes, which of them are in the module database, and the public names by namespace. */
export async function listModules(python) {
  const header = await firstHeader(python, [path.join(here, 'moduledb.py'), '--list']);
  if (header === null) throw new ProvisionError('Python could not list its modules: see above.');
  const entries = header.entries.map(({ name, database }, index) => ({ name, isInDatabase: database, index }));
  return { entries, names: header.names };
}

/** The results of some classes, in order. */
export async function runModules(python, entries, print = console.log) {
  const results = [];
  const add = (result) => {
    const { name, isInDatabase } = entries[results.length];
    results.push({ ...result, name, isInDatabase });
    report(results.at(-1), print);
  };
  const requests = entries.map(({ index }) => ({ entry: index }));
  await superviseWorkers([path.join(here, 'worker.mjs'), python], requests, add, (message) => {
    const failures = [{ sample: '', message }];
    add({ isMissing: false, samples: 1, gradients: 0, refused: 0, tensors: 0, failed: 1, failures });
  });
  return results;
}

function report({ name, isMissing, samples, failed, failures }, print) {
  if (failed === 0 || isMissing || knownDifferences.has(name)) return;
  print(`  ${name}: ${failed} of ${samples} samples differ`);
  for (const { sample, message } of failures.slice(0, FAILURES_SHOWN)) print(`    ${sample}: ${firstLines(message)}`);
}

const firstLines = (message) => message.split('\n').slice(0, 2).join(' ').slice(0, 300);
