// Runs operations of every kind, a million by default, and checks that nothing grows: live tensors, their bytes, scopes,
// memory that V8 knows of, and the process as a whole. Half of the work runs in scopes, half is left to the collector.
//   npm run soak -- [--operations 1000000] [--seed 1] [--seconds 300]
import { setImmediate as turn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { memory, scope } from 'aiforge';
import { ProvisionError, runMain } from './provision/main.mjs';
import { makeOperations, randomIntegers } from './soak/operations.mjs';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

const MiB = 2 ** 20;

// How much each figure may be above its value after the warm-up. Of what aiforge counts itself: not at all.
const allowed = {
  tensors: 0,
  bytes: 0,
  scopes: 0,
  unreceived: 0,
  external: MiB / 4,
  heap: 8 * MiB,
  resident: 48 * MiB,
};

await runMain(async () => {
  const { values } = parseArgs({
    options: { operations: { type: 'string' }, seed: { type: 'string' }, seconds: { type: 'string' } },
  });
  const wanted = numberOf(values, 'operations', 1_000_000);
  const seed = numberOf(values, 'seed', 1);
  const deadline = Date.now() + 1000 * numberOf(values, 'seconds', 600);

  const below = randomIntegers(seed);
  const operations = makeOperations(below);
  await work(operations, below, Math.max(5_000, wanted / 10), deadline);
  const before = await settle();
  const started = Date.now();
  const { done, byKind } = await work(operations, below, wanted, deadline);
  const after = await settle();

  const seconds = (Date.now() - started) / 1000;
  console.log(`seed ${seed}: ${done} operations in ${seconds.toFixed(1)} s`);
  console.log([...byKind].map(([kind, count]) => `${kind} ${count}`).join(', '));
  if (done < wanted) console.log(`stopped at the time limit, before ${wanted}`);
  const grown = Object.keys(allowed).filter((name) => !report(name, before[name], after[name]));
  if (grown.length > 0) throw new ProvisionError(`${grown.join(', ')} grew over ${done} operations (seed ${seed})`);
});

function numberOf(values, name, fallback) {
  const number = Number(values[name] ?? fallback);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new ProvisionError(`--${name}: got '${values[name]}', expected a whole number above 0`);
}

/** Runs operations of random kinds until there were `wanted`. */
async function work(operations, below, wanted, deadline) {
  const kinds = Object.keys(operations);
  const byKind = new Map(kinds.map((kind) => [kind, 0]));
  let done = 0;
  for (let round = 0; done < wanted && Date.now() < deadline; ++round) {
    const kind = kinds[below(kinds.length)];
    const run = operations[kind];
    const count = await (below(2) === 0 ? scope(run) : run());
    done += count;
    byKind.set(kind, byKind.get(kind) + count);
    // Node gives the memory of collected arrays back when the event loop turns.
    if (round % 100 === 0) await turn();
  }
  return { done, byKind };
}

/** The figures when everything that can be collected has been. */
async function settle() {
  for (let i = 0; i < 4; ++i) {
    collect();
    await turn();
  }
  const { tensors, bytes, scopes, unreceived } = memory.stats();
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
  return {
    tensors,
    bytes,
    scopes: scopes.length,
    unreceived: unreceived.tensors,
    external: external + arrayBuffers,
    heap: heapUsed,
    resident: rss,
  };
}

/** Prints a figure's change; whether it is within what is allowed. */
function report(name, before, after) {
  const fits = after - before <= allowed[name];
  console.log(`${fits ? 'ok  ' : 'GREW'} ${name.padEnd(10)} ${before} -> ${after} (allowed: ${allowed[name]} more)`);
  return fits;
}
