// `npm run test:parity:modules`: builds every class of torch.nn in Python and here from the same seed, with the samples of
// PyTorch's module database and of samples.py, and compares everything bit by bit; also compares the public names.
//   --module name   this class only (repeatable)
//   --write         writes docs/parity-modules.md, with all classes
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from '../../build.mjs';
import { runToExit } from '../../provision/command.mjs';
import { ProvisionError, runMain } from '../../provision/main.mjs';
import { projectRoot } from '../../provision/paths.mjs';
import { installReference, referencePython } from '../../provision/reference.mjs';
import { knownDifferences, withoutSamples } from './lists.mjs';
import { nameCoverage } from './names.mjs';
import { markdown } from './report.mjs';
import { listModules, runModules } from './supervise.mjs';

function readArguments() {
  const { values } = parseArgs({
    options: {
      module: { type: 'string', multiple: true, default: [] },
      write: { type: 'boolean', default: false },
    },
  });
  if (values.write && values.module.length > 0) throw new ProvisionError('--write needs all classes');
  return values;
}

/** What is wrong with an entry's result by the lists, or null. */
function unexpected({ name, isMissing, samples, failed }) {
  const isListed = knownDifferences.has(name);
  if (samples === 0) return withoutSamples.has(name) ? null : 'has no samples, and no reason is listed';
  if (withoutSamples.has(name)) return 'is listed as having no samples, but has some: take it off the list';
  if (isMissing) return 'is missing here';
  if (failed > 0 && !isListed) return 'differs, and is not in the list of known differences';
  if (failed === 0 && isListed) return 'is listed as different, but passes: take it off the list';
  return null;
}

function summary(results, coverage) {
  const counted = results.filter(({ samples }) => samples > 0);
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const lines = [
    `${counted.filter(({ failed }) => failed === 0).length} of ${counted.length} classes are equal in full, ` +
      `${counted.filter(({ isMissing }) => isMissing).length} are missing;`,
    `${sum('samples')} samples, ${sum('gradients')} with gradients, ${sum('refused')} that Python refuses;`,
    `${sum('tensors')} tensors compared, ${sum('failed')} samples differ.`,
  ];
  for (const { namespace, total, absent } of coverage)
    lines.push(`${namespace}: ${total - absent.length} of ${total} names`);
  return lines.join('\n');
}

async function write(results, coverage) {
  const file = path.join(projectRoot, 'docs', 'parity-modules.md');
  writeFileSync(file, markdown(results, coverage));
  const prettier = path.join(projectRoot, 'node_modules', 'prettier', 'bin', 'prettier.cjs');
  await runToExit(process.execPath, [prettier, '--write', file]);
}

await runMain(async () => {
  const { module: only, write: isWritten } = readArguments();
  await build();
  if (process.env.AIFORGE_REFERENCE_PYTHON === undefined) await installReference();
  const python = process.env.AIFORGE_REFERENCE_PYTHON ?? referencePython();
  const { entries, names } = await listModules(python);
  const unknown = [...knownDifferences.keys(), ...withoutSamples.keys(), ...only].filter(
    (name) => !entries.some((entry) => entry.name === name),
  );
  if (unknown.length > 0) throw new ProvisionError(`torch.nn has no class ${unknown.join(', ')}`);

  const chosen = entries.filter(({ name }) => only.length === 0 || only.includes(name));
  console.log(`${chosen.length} of ${entries.length} classes; reference: ${python}`);
  const results = await runModules(python, chosen);
  const coverage = only.length === 0 ? nameCoverage(names) : [];
  const surprises = results.flatMap((result) => {
    const problem = unexpected(result);
    return problem === null ? [] : [`${result.name} ${problem}`];
  });
  for (const { namespace, unexplained, stale } of coverage) {
    if (unexplained.length > 0)
      surprises.push(`${namespace} lacks, without a listed reason: ${unexplained.join(', ')}`);
    if (stale.length > 0) surprises.push(`${namespace}: listed as absent, but not: ${stale.join(', ')}`);
  }
  console.log(summary(results, coverage));
  for (const line of surprises) console.log(`  ${line}`);
  if (isWritten) await write(results, coverage);
  return surprises.length === 0 ? 0 : 1;
});
