// `npm run test:parity`: runs the samples of PyTorch's operator database (op_db) in Python and here, and compares values,
// dtypes, shapes, strides, gradients, methods and in-place forms. By default the first 20 samples of every entry and dtype;
//   --all        every sample                      --sample n   the first n samples
//   --op name    this entry only (repeatable)      --shard i/n  every n-th entry, from the i-th on
//   --autocast bfloat16 or float16   each call in autocast, on both sides
//   --write      writes docs/parity.md, with --all
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from '../build.mjs';
import { runToExit } from '../provision/command.mjs';
import { ProvisionError, runMain } from '../provision/main.mjs';
import { projectRoot } from '../provision/paths.mjs';
import { installReference, referencePython } from '../provision/reference.mjs';
import { acceptedErrors, closeOnly, knownDifferences, withoutOperator } from './lists.mjs';
import { markdown } from './report.mjs';
import { listEntries, runEntries } from './supervise.mjs';

const DEFAULT_SAMPLES = 20;

function readArguments() {
  const { values } = parseArgs({
    options: {
      all: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      sample: { type: 'string', default: String(DEFAULT_SAMPLES) },
      shard: { type: 'string', default: '1/1' },
      op: { type: 'string', multiple: true, default: [] },
      autocast: { type: 'string' },
    },
  });
  const [shard, shards] = values.shard.split('/').map(Number);
  const first = values.all ? null : Number(values.sample);
  if (!(shard >= 1 && shard <= shards)) throw new ProvisionError(`--shard: expected i/n, got ${values.shard}`);
  if (first !== null && !(first >= 1)) throw new ProvisionError(`--sample: expected a number, got ${values.sample}`);
  const { autocast = null, write } = values;
  if (![null, 'bfloat16', 'float16'].includes(autocast)) {
    throw new ProvisionError(`--autocast: expected bfloat16 or float16, got ${autocast}`);
  }
  const isWhole = values.all && shards === 1 && values.op.length === 0 && autocast === null;
  if (write && !isWhole) throw new ProvisionError('--write needs --all, and the whole of the database as it is');
  return { first, shard, shards, only: values.op, autocast, write };
}

function choose(entries, { shard, shards, only }) {
  const isWanted = ({ name }) => only.length === 0 || only.some((op) => name === op || name.split('/')[0] === op);
  const chosen = entries.filter(isWanted).filter((_, i) => i % shards === shard - 1);
  if (chosen.length === 0) throw new ProvisionError(`no entry of op_db is named ${only.join(', ')}`);
  return chosen;
}

/** Names in the lists that are wrong: of no entry, or of an entry that LibTorch has an operator for. */
function wrongNames(entries, operators) {
  const names = new Set(entries.map(({ name }) => name));
  const listed = [withoutOperator, knownDifferences, acceptedErrors, closeOnly].flatMap((list) => [...list.keys()]);
  const unknown = listed.filter((name) => !names.has(name)).map((name) => `${name}: op_db has no such entry`);
  const operatorOf = (name) =>
    name
      .split('/')[0]
      .replace(/^nn\.functional\./, '')
      .replaceAll('.', '_');
  const present = [...withoutOperator.keys()].filter((name) => operators.has(operatorOf(name)));
  return [...unknown, ...present.map((name) => `${name}: LibTorch has aten::${operatorOf(name)}`)];
}

/** What is wrong with an entry's result by the lists, or null. Only all of its samples show that an entry passes. */
function unexpected({ name, failed, samples, accepted }, { isWhole, autocast }) {
  const isListed = knownDifferences.has(name) || withoutOperator.has(name);
  if (failed > 0 && !isListed) return 'fails, and is not in the list of known differences';
  if (isWhole && failed === 0 && samples > 0 && isListed)
    return 'is listed as not passing, but passes: take it off the list';
  if (!withoutOperator.has(name) && accepted > 0 && !acceptedErrors.has(name)) return 'takes what Python refuses';
  // Wrong inputs are not run in autocast.
  if (autocast === null && accepted === 0 && acceptedErrors.has(name))
    return 'is listed as taking what Python refuses, but does not';
  return null;
}

await runMain(async () => {
  const options = readArguments();
  await build();
  if (process.env.AIFORGE_REFERENCE_PYTHON === undefined) await installReference();
  const python = process.env.AIFORGE_REFERENCE_PYTHON ?? referencePython();
  const { entries, operators } = await listEntries(python);
  const wrong = wrongNames(entries, operators);
  if (wrong.length > 0) throw new ProvisionError(`scripts/parity/lists.mjs:\n  ${wrong.join('\n  ')}`);

  const chosen = choose(entries, options);
  const samples = options.first === null ? 'all samples' : `the first ${options.first} samples of each dtype`;
  console.log(`${chosen.length} of ${entries.length} entries, ${samples}; reference: ${python}`);
  const results = await runEntries(python, chosen, options);
  const run = { autocast: options.autocast, isWhole: options.first === null && options.autocast === null };
  const surprises = results.filter((result) => unexpected(result, run) !== null);
  console.log(summary(results));
  for (const result of surprises) console.log(`  ${result.name} ${unexpected(result, run)}`);
  if (options.write) {
    const file = path.join(projectRoot, 'docs', 'parity.md');
    writeFileSync(file, markdown(results));
    await runToExit(process.execPath, [
      path.join(projectRoot, 'node_modules/prettier/bin/prettier.cjs'),
      '--write',
      file,
    ]);
    console.log(`Wrote ${path.relative(projectRoot, file)}.`);
  }
  return surprises.length === 0 ? 0 : 1;
});

function summary(results) {
  const counted = results.filter(({ name, samples }) => samples > 0 && !withoutOperator.has(name));
  const passed = counted.filter(({ failed }) => failed === 0);
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const share = ((100 * passed.length) / counted.length).toFixed(2);
  const close = sum('tensors') - sum('identical');
  return [
    `${passed.length} of ${counted.length} entries with an operator pass in full (${share} %);`,
    `${results.length - counted.length} entries have no operator, or no sample for these dtypes.`,
    `${sum('samples')} samples, ${sum('gradients')} with gradients, ${sum('methods')} as methods, ${sum('inPlace')} in place too;`,
    `of ${sum('tensors')} tensors ${close} are close only, the others bit-identical;`,
    `of ${sum('refusals')} inputs that Python refuses ${sum('accepted')} are taken.`,
  ].join('\n');
}
