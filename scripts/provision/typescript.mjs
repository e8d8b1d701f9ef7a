import { chmodSync, existsSync, rmSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { run } from './command.mjs';
import { ProvisionError } from './main.mjs';
import { fingerprint, listFiles, projectRoot, readJson, writeJson } from './paths.mjs';

const inRoot = (...parts) => join(projectRoot, ...parts);

const library = {
  name: 'lib',
  config: 'tsconfig.json',
  sources: 'lib',
  output: inRoot('dist', 'lib'),
  inputs: ['lib'],
};
const tests = {
  name: 'test',
  config: 'test/tsconfig.json',
  sources: 'test',
  output: inRoot('build', 'test'),
  inputs: ['lib', 'test'],
};

/** Compiles lib/ into dist/lib unless it is up to date; resolves to whether it compiled. */
export async function compileLibrary() {
  const hasCompiled = await compile(library);
  // npm makes a package's commands executable when it installs them, and npx runs those of a checkout as they are.
  for (const command of Object.values(readJson(inRoot('package.json')).bin)) chmodSync(inRoot(command), 0o755);
  return hasCompiled;
}

/** Compiles test/ into build/test unless it is up to date; resolves to whether it compiled. */
export const compileTests = () => compile(tests);

async function compile(project) {
  const stamp = inRoot('build', 'tsc', `${project.name}.json`);
  const sources = fingerprintOf(project);
  if (readJson(stamp)?.sources === sources && existsSync(project.output)) return false;
  rmSync(stamp, { force: true });
  // With its record of what was emitted still there, tsc would not emit what has been deleted since.
  if (!existsSync(project.output)) rmSync(inRoot('build', 'tsc', `${project.name}.tsbuildinfo`), { force: true });
  const tsc = inRoot('node_modules', 'typescript', 'bin', 'tsc');
  const { status } = await run(process.execPath, [tsc, '-p', inRoot(project.config)], { cwd: projectRoot });
  if (status !== 0) throw new ProvisionError(`TypeScript found errors in ${project.sources}/; they are listed above.`);
  removeOrphans(project);
  writeJson(stamp, { sources });
  return true;
}

function fingerprintOf(project) {
  const configs = ['package.json', 'package-lock.json', 'tsconfig.base.json', project.config].map((file) =>
    inRoot(file),
  );
  return fingerprint([...configs, ...project.inputs.flatMap((folder) => listFiles(inRoot(folder), /\.m?ts$/))]);
}

// A renamed source would leave its old output behind, and mocha would go on running it.
function removeOrphans({ sources, output }) {
  for (const file of listFiles(output, /\.(m?js|d\.m?ts|m?js\.map)$/)) {
    const [, stem, module] = /^(.*?)(?:\.d)?\.(m?)[jt]s(?:\.map)?$/.exec(basename(file));
    const source = inRoot(sources, dirname(relative(output, file)), `${stem}.${module}ts`);
    if (!existsSync(source)) rmSync(file);
  }
}
