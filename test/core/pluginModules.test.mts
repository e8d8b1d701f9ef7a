// Every way in which a module of a plugin, or a TypeScript configuration, may import and be written.
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createContext } from 'node:vm';

import { loadExperimentConfig, loadPlugin } from 'aiforge';
import { expect } from 'chai';

import { copyOfLibrary } from '../support/copies.mjs';
import { writeFiles } from '../support/project.mjs';
import { refusalOf } from '../support/refusal.mjs';

const packages = {
  'common/index.js': `module.exports = Object.assign(() => 'common', { named: 1 });`,
  'compiled/index.js': `Object.defineProperty(exports, '__esModule', { value: true });
    exports.default = () => 'compiled'; exports.named = 2;`,
  'modern/package.json': `{ "type": "module", "exports": { "import": "./main.js" } }`,
  'modern/main.js': `import path from 'node:path'; import data from './data.json' with { type: 'json' };
    export default () => path.basename(import.meta.url) + data.k; export const named = 3;`,
  'modern/data.json': `{ "k": 4 }`,
  'waiting/package.json': `{ "type": "module", "main": "./main.js" }`,
  'waiting/main.js': `export const value = await Promise.resolve(5);`,
};

/** What a form of import gives, by a name and an expression with its value. */
const forms: [what: string, statements: string, expression: string, value: unknown][] = [
  ["a default import of Node's", `import path from 'node:path';`, `path.join('a', 'b')`, 'a/b'],
  ['one without node:', `import os from 'os';`, 'typeof os.cpus', 'function'],
  [
    "names of Node's, the functions themselves",
    `import { join } from 'node:path';`,
    `join === require('path').join`,
    true,
  ],
  ['a namespace', `import * as fs from 'node:fs';`, `typeof fs.readFileSync + typeof fs.default`, 'functionobject'],
  ['the default of a CommonJS package', `import common from 'common';`, 'common()', 'common'],
  ['a name of one', `import { named } from 'common';`, 'named', 1],
  ['a namespace of one', `import * as common from 'common';`, 'common.named + common.default()', '1common'],
  [
    'the default of a compiled package',
    `import compiled, { named } from 'compiled';`,
    'compiled() + named',
    'compiled2',
  ],
  [
    'an ES module, which imports Node and JSON',
    `import modern, { named } from 'modern';`,
    'modern() + named',
    'main.js43',
  ],
  ['a .ts file as .js', `import value, { name } from './inner.js';`, 'value + name', 'inner6'],
  ['one without an extension', `import value from './inner';`, 'value', 'inner'],
  ['one as .ts', `import value from './inner.ts';`, 'value', 'inner'],
  ['a CommonJS file', `import plain, { seven } from './plain.cjs';`, 'plain.seven + seven', 14],
  ['JSON', `import data from './data.json';`, 'data.eight', 8],
  ['JSON with its type', `import data from './data.json' with { type: 'json' };`, 'data.eight', 8],
  ['types', `import type { A } from './gone.js'; import { type B } from './inner.js'; let a: A | B;`, 'a', undefined],
  ['aiforge', `import { nn } from 'aiforge'; import * as same from 'aiforge/nn';`, 'nn.Linear === same.Linear', true],
  [
    'the default of aiforge and of a part of it, which is the module',
    `import aiforge, { nn } from 'aiforge'; import part from 'aiforge/nn'; import * as all from 'aiforge';`,
    'aiforge.nn === nn && part === nn && all.default === aiforge && all.nn === nn',
    true,
  ],
  ['zod', `import z, { z as same } from 'zod';`, 'typeof z.int + (z.int === same.int)', 'functiontrue'],
  ['require', ``, `require('common')()`, 'common'],
  ['import =', `import common = require('common');`, 'common()', 'common'],
  ['an export from', `export * from './inner.js'; export { default as inner } from './inner.js';`, '1', 1],
  ['__dirname and import.meta', ``, `[__dirname, import.meta.dirname, import.meta.url].join()`, 'HERE'],
  [
    'an enum, a const enum and a namespace',
    `enum A { X = 1, Y } const enum B { Z = 'z' } namespace N { export const n = 3; }`,
    'A.Y + B.Z + N.n',
    '2z3',
  ],
  ['satisfies, as and non-null', `const o = { a: 1 } satisfies object;`, '(o as { a?: number }).a!', 1],
  [
    'private and declared fields, parameter properties',
    `class C { #a = 1; declare b: number; constructor(private c: number) {} sum() { return this.#a + this.c; } }`,
    `new C(2).sum() + ('b' in new C(2) ? ' b' : '')`,
    '3',
  ],
  [
    'a decorator',
    `function note(t: any, k: string) { t.noted = k; } class C { @note m() {} }`,
    '(C.prototype as any).noted',
    'm',
  ],
];

const later: [what: string, request: string, expression: string, value: unknown][] = [
  ["Node's", 'node:path', `module.default.sep`, '/'],
  ['a CommonJS package', 'common', 'module.default()', 'common'],
  ['an ES module', 'modern', 'module.named', 3],
  ['an ES module that waits', 'waiting', 'module.value', 5],
  ['a .ts file as .js', './inner.js', 'module.default', 'inner'],
  ['JSON', './data.json', 'module.default.eight', 8],
  ['aiforge', 'aiforge', 'typeof module.nn.Linear', 'function'],
];

describe('modules of a plugin', () => {
  let folder: string;
  before(() => {
    folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'aiforge-modules-')));
    write(Object.fromEntries(Object.entries(packages).map(([name, content]) => [`node_modules/${name}`, content])));
  });
  after(() => rmSync(folder, { recursive: true }));

  const write = (files: Record<string, string>): string => writeFiles(folder, files);

  const beside = (at: string): Record<string, string> => ({
    [`${at}/inner.ts`]: `export type B = 1; export const name = 6; export default 'inner';`,
    [`${at}/plain.cjs`]: `exports.seven = 7;`,
    [`${at}/data.json`]: `{ "eight": 8 }`,
  });

  const datasetOf = (statements: string, body: string): string => `${statements}
    export class Dataset { static value = ${body}; get length() { return 0; } get() {} loadData() {} }`;
  const valueOf = (name: string): unknown =>
    (loadPlugin(`./${name}`, { from: folder }).Dataset as unknown as { value: unknown }).value;

  forms.forEach(([what, statements, expression, value], index) => {
    const expectedIn = (at: string) =>
      value === 'HERE' ? [at, at, String(pathToFileURL(path.join(at, 'dataset.ts')))].join() : value;

    it(`may have ${what}`, () => {
      const name = `form${index}`;
      write({ ...beside(name), [`${name}/dataset.ts`]: datasetOf(statements, expression) });
      expect(valueOf(name)).to.equal(expectedIn(path.join(folder, name)));
    });

    it(`may have ${what}, and so may a configuration`, () => {
      const name = `config${index}`;
      const config = `{ experimentName: 'x', modelPlugin: 'm', datasetPlugin: 'd', dataPath: 'p', model: { value: ${expression} } }`;
      write({ ...beside(name), [`${name}/dataset.ts`]: `${statements}\nexport const config = ${config};` });
      const { model } = loadExperimentConfig(path.join(folder, name, 'dataset.ts'));
      expect(model.value).to.equal(expectedIn(path.join(folder, name)));
    });
  });

  later.forEach(([what, request, expression, value], index) => {
    it(`may import ${what} later`, async () => {
      const name = `later${index}`;
      const source = datasetOf(
        '',
        `async () => { const module: any = await import('${request}'); return ${expression}; }`,
      );
      write({ ...beside(name), [`${name}/dataset.ts`]: source });
      expect(await (valueOf(name) as () => Promise<unknown>)()).to.equal(value);
    });
  });

  it('may not wait at the top level, nor import what does', () => {
    write({
      'awaits/dataset.ts': datasetOf(`const x = await Promise.resolve(1);`, 'x'),
      'imports/dataset.ts': datasetOf(`import { value } from 'waiting';`, 'value'),
    });
    for (const [name, file] of [
      ['awaits', 'awaits/dataset.ts'],
      ['imports', 'node_modules/waiting/main.js'],
    ] as const) {
      const { code, message } = refusalOf(() => loadPlugin(`./${name}`, { from: folder }));
      expect(code).to.equal('PLUGIN_INVALID');
      expect(message)
        .to.include(`await stands at the top level of ${path.join(folder, file)}`)
        .and.to.include('loadData');
    }
    const other = copyOfLibrary(
      createContext({ process, console, setTimeout, queueMicrotask, structuredClone, WeakRef, URL }),
    );
    expect(refusalOf(() => other.loadPlugin('./imports', { from: folder })).message).to.include('await stands at');
  });

  it('are named with the line of what is wrong in them', () => {
    write({
      'throws/dataset.ts': `enum A { X }\n\nfunction f(a?: { b: number }) {\n  return a!.b;\n}\nexport const x = f();`,
      'syntax/dataset.ts': `export const a = 1;\nexport class {`,
      'gone/dataset.ts': `\nimport x from 'not-there';\nexport const y = x;`,
    });
    for (const [name, reason, line] of [
      ['throws', "Cannot read properties of undefined (reading 'b')", '4'],
      ['syntax', 'ParseError: A class name is required', '2:13'],
      ['gone', "Cannot find module 'not-there'", '2'],
    ] as const) {
      const file = path.join(folder, name, 'dataset.ts');
      const { message } = refusalOf(() => loadPlugin(`./${name}`, { from: folder }));
      expect(message).to.equal(`${file} could not be run: ${reason} (${file}:${line}).`);
      const config = refusalOf(() => loadExperimentConfig(file));
      expect(config).to.include({ code: 'CONFIG_INVALID' });
      expect(config.message).to.include(`${reason} (${file}:${line})`);
    }
  });

  it('may not import a name that aiforge does not have, where Node would not run them either', () => {
    write({
      'missing/dataset.ts': `\nimport { BaseModule, type Gone } from 'aiforge';\nexport class Dataset extends BaseModule { x?: Gone }`,
      'elsewhere/dataset.ts': `import { Linaer } from 'aiforge/nn';\nexport const make = () => new Linaer(2, 2);`,
      'passed/dataset.js': `export { Linaer } from 'aiforge/nn';`,
    });
    for (const [name, reason] of [
      ['missing/dataset.ts', "'aiforge' has no export 'BaseModule' (FILE:2), did you mean 'BaseModel'?"],
      ['elsewhere/dataset.ts', "'aiforge/nn' has no export 'Linaer' (FILE:1), did you mean 'Linear'?"],
      ['passed/dataset.js', "'aiforge/nn' has no export 'Linaer' (FILE:1), did you mean 'Linear'?"],
    ] as const) {
      const file = path.join(folder, name);
      const { code, message } = refusalOf(() => loadPlugin(`./${path.dirname(name)}`, { from: folder }));
      expect(code).to.equal('PLUGIN_INVALID');
      expect(message).to.equal(`${file} could not be run: ${reason.replace('FILE', file)}`);
      expect(refusalOf(() => loadExperimentConfig(file)).message).to.include(reason.replace('FILE', file));
    }
  });

  it('may ask the namespace of aiforge for a name that it does not have', () => {
    write({ 'asks/dataset.ts': datasetOf(`import * as all from 'aiforge';`, `typeof (all as any).BaseModule`) });
    expect(valueOf('asks')).to.equal('undefined');
  });

  describe('in a project that has zod 3', () => {
    const zod3 = path.dirname(createRequire(import.meta.url).resolve('zod-3/package.json'));
    before(() => {
      mkdirSync(path.join(folder, 'old/node_modules'), { recursive: true });
      cpSync(zod3, path.join(folder, 'old/node_modules/zod'), { recursive: true });
    });

    const dataset = datasetOf('', '1');
    const schema = `import { z } from 'zod';\nimport { ModelConfig } from 'aiforge';\n`;
    for (const [what, files, problem] of [
      [
        'calls what only zod 4 has',
        { 'config.ts': `${schema}export const Config = ModelConfig.extend({ a: z.int() });` },
        'z.int is not a function',
      ],
      ['calls it in its data set', { 'dataset.ts': `${schema}export const a = z.int();` }, 'z.int is not a function'],
      [
        'has a schema of zod 3',
        { 'config.ts': `${schema}export const Config = z.object({ a: z.number() });` },
        'Config is not a zod object schema',
      ],
      [
        'has one of another name',
        { 'config.ts': `${schema}export const Wide = z.object({ a: z.number() });` },
        'exports no zod object schema',
      ],
      [
        'has a field of zod 3',
        { 'config.ts': `${schema}export const Config = ModelConfig.extend({ a: z.number() });` },
        'Config.a is not a schema of zod 4',
      ],
    ] as [string, Record<string, string>, string][]) {
      it(`a plugin that ${what} is refused, with the versions and the remedy`, () => {
        const name = `old/${what.replaceAll(' ', '_')}`;
        const all = { 'dataset.ts': dataset, ...files };
        write(Object.fromEntries(Object.entries(all).map(([file, content]) => [`${name}/${file}`, content])));
        const { code, message } = refusalOf(() => loadPlugin(`./${name}`, { from: folder }));
        expect(code).to.equal('PLUGIN_INVALID');
        expect(message).to.include(problem);
        expect(message).to.match(
          /import zod 3\.\d+\.\d+, from \S+old\/node_modules\/zod, and aiforge works with zod 4: npm install zod@4\.$/,
        );
      });
    }

    it('a plugin that keeps its zod 3 to itself works', () => {
      write({ 'old/own/dataset.ts': datasetOf(schema, `z.object({ a: z.number() }).parse({ a: 1 }).a`) });
      expect(valueOf('old/own')).to.equal(1);
    });

    it('a schema of zod 3 given to validate is refused', () => {
      write({
        'old/given/dataset.ts': datasetOf(
          `import { validate } from 'aiforge';\nimport { z } from 'zod';`,
          `() => validate(z.object({}) as never, {}, { source: 'x' })`,
        ),
      });
      const { code, message } = refusalOf(valueOf('old/given') as () => unknown);
      expect(code).to.equal('INVALID_ARGUMENT');
      expect(message).to.include('zod 4');
    });

    it('aiforge’s own plugins work with its own zod', () => {
      const { Config, Dataset } = loadPlugin('simple_nn', { from: path.join(folder, 'old') });
      expect(Config!.parse({ inputDim: 3, outputDim: 2 })).to.include({ inputDim: 3 });
      expect(Dataset).to.be.a('function');
    });
  });
});
