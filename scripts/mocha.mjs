import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './provision/paths.mjs';

/** The command line of Node that runs mocha; a test's source path stands for its compiled file. */
export function mocha(args) {
  return [join(projectRoot, 'node_modules', 'mocha', 'bin', 'mocha.js'), ...mochaArguments(args)];
}

// mocha adds the files it is given to those of its configuration, so naming files means leaving the configuration out.
function mochaArguments(args) {
  const named = args.map((arg) => arg.replace(/^(?:\.\/)?test\/(.*)\.test\.mts$/, 'build/test/$1.test.mjs'));
  if (!named.some((arg) => arg.endsWith('.test.mjs'))) return named;
  const { spec: _all, ...settings } = JSON.parse(readFileSync(join(projectRoot, '.mocharc.json'), 'utf8'));
  return [
    '--no-config',
    ...Object.entries(settings).map(([name, value]) => `--${name}${value === true ? '' : `=${value}`}`),
    ...named,
  ];
}
