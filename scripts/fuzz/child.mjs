// The process that may die: makes calls one after the other, each written down before it is made.
//
// child.mjs '{"seed", "from", "to", "deadline", "journal", "results", "only"?, "inner"?, "calls"?}': `from` … `to` are positions in the
// endless list of targets (round after round, each in an order of its own); `calls` are described calls to make instead.
import { appendFileSync, openSync, writeSync } from 'node:fs';
import { describeAftermath } from './aftermath.mjs';
import { describeAnything, describeArguments } from './describe.mjs';
import { hash, Random } from './random.mjs';
import { makeCall } from './calls.mjs';
import { loadLibrary } from './library.mjs';
import { describeSurroundings } from './surroundings.mjs';
import { listTargets, readCorpus } from './targets.mjs';
import { describeWorker } from './workers.mjs';

const CASES = 12;
const options = JSON.parse(process.argv[2]);
const library = loadLibrary();
const journal = openSync(options.journal, 'w');
const report = (result) => appendFileSync(options.results, `${JSON.stringify(result)}\n`);

/** Makes the call and returns how it ended; the journal holds the call, the phase and a count for the one who watches. */
let made = 0;
async function run(call, position) {
  const text = JSON.stringify(call);
  const phase = (name) => writeSync(journal, `${++made} ${position} ${name} ${text}\n`, 0);
  phase('make');
  const outcome = await makeCall(library, call, phase);
  if (outcome.code === 'FOREIGN') {
    const { error } = outcome;
    report({ foreign: { call, position, message: String(error?.stack ?? error).slice(0, 1500) } });
  }
  return outcome.code;
}

/** The calls of one target in one round; successes are varied further. */
async function runTarget(target, round, position) {
  const { native } = library;
  const schema = target.via === 'operator' ? native.schema(target.name) : undefined;
  const known = schema === undefined ? [] : corpus(target.name, schema);
  const codes = {};
  for (let i = 0; i < (target.via === 'worker' ? 1 : CASES); ++i) {
    const random = new Random(hash(options.seed, target.via, target.name, round, i));
    const way = random.chance(0.5) ? 'call' : random.pick(target.ways ?? ['call']);
    const args = schema === undefined ? describeAnything(random, target.via) : describeArguments(random, schema, known);
    const more = schema === undefined ? {} : { ...describeSurroundings(random), ...describeAftermath(random) };
    const call = { via: target.via, name: target.name, way, args, ...more, ...(options.strict && { strict: true }) };
    if (target.via === 'worker') Object.assign(call, describeWorker(random, all, library.native, corpus));
    const code = await run(call, position);
    codes[code] = (codes[code] ?? 0) + 1;
    if (code === 'OK' && schema !== undefined && known.length < 6) known.push(args);
  }
  report({ target: `${target.via} ${target.name}`, codes });
}

// What is repeated may be an inner operator.
if (options.inner || options.calls !== undefined) library.tensor.ops.unsafe();
const all = listTargets(library, options.inner);
const targets =
  options.only === undefined
    ? all
    : all.filter(({ name }) => name.split('.')[0] === options.only || name === options.only);
const corpus = readCorpus(library.native);

async function main() {
  if (options.calls !== undefined) {
    for (const call of options.calls) report({ code: await run(call, 0), call });
    return;
  }
  if (targets.length === 0) throw new Error(`there is no target '${options.only}'`);
  report({ targets: targets.length });
  const skipped = new Set(options.skipped);
  for (let position = options.from; position < options.to && Date.now() < options.deadline; ++position) {
    const round = Math.floor(position / targets.length);
    const order = new Random(hash(options.seed, 'order', round)).shuffled(targets);
    const target = order[position % targets.length];
    if (!skipped.has(`${target.via} ${target.name}`)) await runTarget(target, round, position);
    report({ done: position });
  }
}

process.on('unhandledRejection', (error) => report({ foreign: { message: `unhandled rejection: ${error?.stack}` } }));
await main();
process.exit(0);
