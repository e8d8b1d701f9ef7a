import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { expect } from 'chai';

import { temporaryFolder, writeFiles, type Finished } from '../support/project.mjs';

const cli = path.resolve('dist/lib/cli/aiforge.js');

describe('aiforge new plugin', () => {
  const folder = temporaryFolder('new-plugin');

  /** A project in which `aiforge` is installed, as a user's is. */
  const project = (name: string, manifest: object = { name: 'mine' }): string => {
    const root = path.join(folder, name);
    mkdirSync(path.join(root, 'node_modules'), { recursive: true });
    symlinkSync(process.cwd(), path.join(root, 'node_modules', 'aiforge'));
    writeFileSync(path.join(root, 'package.json'), JSON.stringify(manifest));
    return root;
  };

  const env: NodeJS.ProcessEnv = { ...process.env, OMP_NUM_THREADS: '1', NO_COLOR: '1', LOG_LEVEL: 'silent' };
  const aiforge = (cwd: string, ...args: string[]): Finished =>
    spawnSync(process.execPath, [cli, ...args], { cwd, env, encoding: 'utf8' });
  // Not by a recursive readdir: that enters the link to aiforge, whose own build folder may have links back to it.
  const filesIn = (root: string, below = ''): string[] =>
    readdirSync(path.join(root, below), { withFileTypes: true })
      .filter(({ name }) => name !== 'node_modules')
      .flatMap((entry) => {
        const file = path.join(below, entry.name);
        return entry.isDirectory() ? [file, ...filesIn(root, file)] : [file];
      })
      .sort();

  it('refuses the name of a plugin of aiforge', () => {
    const root = project('own');
    for (const name of ['simple_nn', 'spam_assassin', 'transformer_text_plugin']) {
      const { status, stderr } = aiforge(root, 'new', 'plugin', name);
      expect(status, name).to.equal(1);
      expect(stderr).to.match(new RegExp(`^INVALID_ARGUMENT '${name}' is the name of one of aiforge's own plugins`));
    }
    expect(filesIn(root)).to.deep.equal(['package.json']);
  });

  for (const [kind, manifest] of [
    ['classification', { name: 'mine' }],
    ['regression', { name: 'mine', type: 'module' }],
    ['text', { name: 'mine', type: 'commonjs' }],
  ] as const) {
    it(`${kind}: is checked, trains, and passes its own test`, () => {
      const root = project(kind, manifest);
      const name = `new_${kind}`;
      const made = aiforge(root, 'new', 'plugin', name, '--kind', kind);
      expect(made.status, made.stderr).to.equal(0);
      const parts = ['config', 'dataset', 'index', 'model', 'preprocessor'].map((part) => `plugins/${name}/${part}.ts`);
      expect(filesIn(root)).to.include.members([...parts, `experiments/${name}.yaml`, `test/${name}.test.mjs`]);
      for (const file of filesIn(root)) expect(file).not.to.include('__name__');

      // What it says to run next, as it says it.
      const commands = made.stdout
        .split('Next:\n')[1]!
        .trim()
        .split('\n')
        .map((line) => line.trim());
      expect(commands).to.have.length(3);
      for (const command of commands) {
        const own = command.replace(/^npx aiforge/, `'${process.execPath}' '${cli}'`);

        const ended = spawnSync('sh', ['-c', own], { cwd: root, env, encoding: 'utf8' });
        expect(ended.status, `${command}\n${ended.stdout}${ended.stderr}`).to.equal(0);
        if (command.startsWith('npx aiforge train')) expect(ended.stdout).to.include('Held-out test');
        if (command.startsWith('node --test')) expect(ended.stdout).to.match(/pass 2\n/);
      }
    }).timeout(120_000);
  }

  it('type-checks in a project with TypeScript', () => {
    const root = project('typed', { name: 'mine', type: 'module' });
    for (const kind of ['classification', 'regression', 'text']) {
      expect(aiforge(root, 'new', 'plugin', `typed-${kind}`, '--kind', kind).status).to.equal(0);
    }
    // Where npm puts what aiforge depends on.
    symlinkSync(path.resolve('node_modules/zod'), path.join(root, 'node_modules', 'zod'));
    const compilerOptions = {
      noEmit: true,
      strict: true,
      module: 'nodenext',
      target: 'es2022',
      skipLibCheck: true,
      typeRoots: [path.resolve('node_modules/@types')],
      types: ['node'],
    };
    writeFiles(root, { 'tsconfig.json': JSON.stringify({ compilerOptions, include: ['plugins'] }) });
    const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
    expect(() => execFileSync(process.execPath, [tsc, '-p', root], { encoding: 'utf8' })).not.to.throw();
  }).timeout(120_000);

  it('writes into the project around the working directory, or into --directory, and says how to get there', () => {
    const root = project('around');
    mkdirSync(path.join(root, 'deep', 'er'), { recursive: true });
    expect(aiforge(path.join(root, 'deep', 'er'), 'new', 'plugin', 'around_one').stdout).to.include('cd ../..\n');
    expect(existsSync(path.join(root, 'plugins/around_one/model.ts'))).to.equal(true);
    expect(aiforge(root, 'new', 'plugin', 'around_two', '--directory', 'new/one').stdout).to.include('cd new/one\n');
    expect(existsSync(path.join(root, 'new/one/plugins/around_two/model.ts'))).to.equal(true);
  });

  it('works where there is no package.json', () => {
    const root = path.join(folder, 'bare');
    mkdirSync(root);
    expect(aiforge(root, 'new', 'plugin', 'bare_one').status).to.equal(0);
    const { status, stderr } = aiforge(
      root,
      'plugins',
      'check',
      'bare_one',
      '--experiment',
      'experiments/bare_one.yaml',
    );
    expect(status, stderr).to.equal(0);
  }).timeout(60_000);

  it('refuses to write where anything is in the way: all of it is listed, and nothing is written', () => {
    const root = writeFiles(project('conflicts'), {
      'plugins/taken/model.js': 'mine',
      'plugins/taken/notes.txt': 'mine',
      'experiments/taken.yaml': 'mine',
    });
    symlinkSync('nowhere', path.join(root, 'plugins', 'linked'));
    const before = filesIn(root);
    const { status, stderr } = aiforge(root, 'new', 'plugin', 'taken');
    expect(status).to.equal(1);
    expect(stderr).to.match(/^FILE_NOT_WRITABLE Nothing was written/);
    for (const file of ['plugins/taken/model.js', 'plugins/taken/notes.txt', 'experiments/taken.yaml']) {
      expect(stderr).to.include(`  ${file}\n`);
      expect(readFileSync(path.join(root, file), 'utf8')).to.equal('mine');
    }
    expect(aiforge(root, 'new', 'plugin', 'linked').stderr).to.include('plugins/linked');
    expect(filesIn(root)).to.deep.equal(before);

    const blocked = writeFiles(project('blocked'), { test: 'a file' });
    expect(aiforge(blocked, 'new', 'plugin', 'blocked').stderr).to.include('is already:\n  test\n');
    expect(existsSync(path.join(blocked, 'plugins'))).to.equal(false);
  });

  it('refuses names that are none, and kinds', () => {
    const root = project('names');
    for (const name of ['../x', 'a/b', '..', '.', '', '-x', 'a b', '1x', '@s/x', 'x'.repeat(81), 'node_modules']) {
      const { status, stderr } = aiforge(root, 'new', 'plugin', '--', name);
      expect(status, name).to.equal(1);
      expect(stderr, name).to.match(/^INVALID_ARGUMENT .* cannot be a plugin's name/);
    }
    expect(aiforge(root, 'new', 'plugin', 'x', '--kind', 'txt').stderr).to.include("Did you mean 'text'?");
    expect(aiforge(root, 'new', 'plugin', 'x', '--directory', '').stderr).to.include('--directory is empty');
    expect(aiforge(root, 'new', 'plugn', 'x').stderr).to.include('Did you mean plugin?');
    expect(filesIn(root)).to.deep.equal(['package.json']);
  });
});
