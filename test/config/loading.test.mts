import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect } from 'chai';

/** The packages that requiring these files of dist/lib loads. */
function packagesLoadedBy(...files: string[]): string[] {
  const script = `
    for (const file of ${JSON.stringify(files.map((file) => resolve('dist/lib', file)))}) require(file);
    const names = Object.keys(require.cache).map((file) => /node_modules.((?:@[^\\\\/]+.)?[^\\\\/]+)/.exec(file)?.[1]);
    console.log(JSON.stringify([...new Set(names)].filter(Boolean).sort()));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  expect(stderr).to.equal('');
  return JSON.parse(stdout) as string[];
}

describe('loading the library', () => {
  it('loads zod and typedi, and leaves yaml, jiti, semver and pino until they are needed', () => {
    const files = [
      'config/load.js',
      'config/settings.js',
      'core/plugins/plugins.js',
      'core/container.js',
      'tracking/mlflowTracker.js',
    ];
    expect(packagesLoadedBy(...files)).to.deep.equal(['typedi', 'zod']);
  });
});
