import { join } from 'node:path';
import { run } from './command.mjs';
import { ProvisionError } from './main.mjs';
import { addonFile, fingerprint, listFiles, projectRoot, readJson, writeJson } from './paths.mjs';

const generator = join(projectRoot, 'scripts', 'generate-operators.mjs');
const generatorParts = join(projectRoot, 'scripts', 'operators');
const output = join(projectRoot, 'lib', 'tensor', 'generated');
const stamp = join(projectRoot, 'build', 'generated.json');

/** Writes the operators' TypeScript from the addon's schemas unless it is up to date; resolves to whether it did. */
export async function generateOperators() {
  const sources = fingerprint([addonFile, generator, ...listFiles(generatorParts, /\.(mjs|json)$/)]);
  const generated = () => fingerprint(listFiles(output));
  const record = readJson(stamp);
  if (record?.sources === sources && record.generated === generated()) return false;
  const { status } = await run(process.execPath, [generator], { cwd: projectRoot });
  if (status !== 0) throw new ProvisionError('the operators could not be generated; the reason is above.');
  writeJson(stamp, { sources, generated: generated() });
  return true;
}
