// `npm run test:processors`: runs the tests that read test/fixtures, without Python, as processors of other kinds would
// compute. `--all` runs every test, file names those files.
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from '../build.mjs';
import { mocha } from '../mocha.mjs';
import { outputOf, run } from '../provision/command.mjs';
import { ProvisionError, runMain } from '../provision/main.mjs';
import { listFiles, projectRoot } from '../provision/paths.mjs';

// ATen, oneDNN and C's library take a switch for the instructions they use. MKL's counts on Intel's processors only.
const avx2 = { ATEN_CPU_CAPABILITY: 'avx2', ONEDNN_MAX_CPU_ISA: 'AVX2', MKL_ENABLE_INSTRUCTIONS: 'AVX2' };
const sse = { ATEN_CPU_CAPABILITY: 'default', ONEDNN_MAX_CPU_ISA: 'SSE41', MKL_CBWR: 'COMPATIBLE' };
const withoutFma = { GLIBC_TUNABLES: 'glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2' };
const processors = [
  { name: 'this one' },
  { name: 'AMD', vendor: 'amd' },
  { name: 'AMD with AVX2', vendor: 'amd', env: avx2 },
  { name: 'Intel', vendor: 'intel' },
  { name: 'Intel with AVX2', vendor: 'intel', env: avx2 },
  { name: 'Intel with SSE4', vendor: 'intel', env: { ...sse, MKL_ENABLE_INSTRUCTIONS: 'SSE4_2' } },
  { name: 'without FMA', vendor: 'amd', env: { ...sse, ...withoutFma } },
];

// What test/support/recorded.mts says at the end where values differ from the recording's.
const DIFFERENT = /This processor rounds otherwise.*: (\d+ of \d+ values .*)/;

await runMain(async () => {
  const args = process.argv.slice(2);
  await build({ tests: true });
  const files = args.includes('--all') ? [] : args.length > 0 ? args : filesWithFixtures();
  const vendors = { amd: buildVendor('amd', 0), intel: buildVendor('intel', 1) };
  const outcomes = [];
  for (const processor of processors) outcomes.push(await runAs(processor, vendors, files));
  if (files.length > 0 && args.length === 0 && !outcomes.some(({ different }) => different)) {
    throw new ProvisionError(
      'no processor computed anything else than what was recorded: the switches have no effect.',
    );
  }
  return outcomes.every(({ status }) => status === 0) ? 0 : 1;
});

function filesWithFixtures() {
  return listFiles(join(projectRoot, 'test'), /\.test\.mts$/)
    .filter((file) => /support\/recorded\.mjs|test\/fixtures\//.test(readFileSync(file, 'utf8')))
    .map((file) => relative(projectRoot, file));
}

function buildVendor(name, isIntel) {
  const file = join(projectRoot, 'build', `vendor-${name}.so`);
  const source = join(projectRoot, 'scripts', 'processors', 'vendor.c');
  if (outputOf('cc', ['-shared', '-fPIC', `-DINTEL=${isIntel}`, '-o', file, source]) === null) {
    throw new ProvisionError(`cc cannot compile ${source}. Install gcc (on Debian: apt-get install gcc)`);
  }
  return file;
}

/** Runs the files' tests and prints a line, and all of the output where a test fails. */
async function runAs({ name, vendor, env = {} }, vendors, files) {
  const { AIFORGE_REFERENCE_PYTHON: _, ...inherited } = process.env;
  const preload = vendor && { LD_PRELOAD: [vendors[vendor], inherited.LD_PRELOAD].filter(Boolean).join(':') };
  const lines = [];
  const { status } = await run(process.execPath, mocha(files), {
    cwd: projectRoot,
    env: { ...inherited, ...env, ...preload },
    onLine: (line) => lines.push(line),
  });
  if (status !== 0) console.log(lines.join('\n'));
  const counts = lines.map((line) => /^ +(\d+ (?:passing|failing))/.exec(line)?.[1]).filter(Boolean);
  const different = lines.map((line) => DIFFERENT.exec(line)?.[1]).find(Boolean);
  console.log(`${name.padEnd(16)} ${counts.join(', ') || `status ${status}`}; ${different ?? 'the recorded bits.'}`);
  return { status, different };
}
