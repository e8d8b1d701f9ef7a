// pack.mjs <node binary> <folder> [addon] [its LibTorch]: what check.sh needs on a machine that has a GPU and Python's torch,
// and neither Node nor a network: this checkout, built (`npm test` builds it), its run-time packages, mocha, chai and Node
// itself, some 25 MB. A packed Node that is there is kept. An addon that was built beforehand for that machine's torch is used there
// instead of building one.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';

import { projectRoot } from '../provision/paths.mjs';
import { ProvisionError, runMain } from '../provision/main.mjs';

const [nodeBinary, folder, addon, libtorch] = process.argv.slice(2);

await runMain(() => {
  if (folder === undefined) throw new ProvisionError('usage: pack.mjs <node binary> <folder> [addon] [its LibTorch]');
  const target = resolve(folder);
  const work = mkdtempSync(join(tmpdir(), 'aiforge-pack-'));
  try {
    mkdirSync(target, { recursive: true });
    copySources(join(work, 'aiforge'));
    copyPackages(join(work, 'aiforge'));
    if (addon !== undefined) copyAddon(join(work, 'aiforge'));
    if (!existsSync(join(target, 'node.tar.xz'))) {
      cpSync(nodeBinary, join(work, 'node'));
      execFileSync('strip', [join(work, 'node')]);
      pack(work, 'node', join(target, 'node.tar.xz'));
    }
    pack(work, 'aiforge', join(target, 'aiforge.tar.xz'));
  } finally {
    rmSync(work, { recursive: true });
  }
  cpSync(join(projectRoot, 'scripts', 'device', 'check.sh'), join(target, 'check.sh'));
  return 0;
});

function copySources(target) {
  const parts = ['package.json', 'CMakeLists.txt', '.mocharc.json', 'native', 'scripts', 'dist/lib', 'build/test'];
  const others = ['test/models/python', 'test/cuda/python', 'test/reference', 'test/native/fixtures'];
  for (const part of [...parts, ...others]) {
    cpSync(join(projectRoot, part), join(target, part), { recursive: true, filter: isNeeded });
  }
}

function isNeeded(path) {
  return !/\.(map|d\.m?ts|tsbuildinfo)$|__pycache__|scripts\/bench\/tfjs/.test(path);
}

/** The closure of the run-time packages but cmake-js, since cmake is called directly, and of what runs the tests. */
function copyPackages(target) {
  const { dependencies } = readPackage('.');
  const seen = new Set(['cmake-js']);
  const add = (name) => {
    const from = join('node_modules', name);
    if (seen.has(name) || !existsSync(join(projectRoot, from))) return;
    seen.add(name);
    const isCode = (path) =>
      !/\.(md|map|d\.[mc]?ts|flow)$|\/(tests?|docs|benchmarks|examples)$/.test(
        path.slice(projectRoot.length + from.length),
      );
    cpSync(join(projectRoot, from), join(target, from), { recursive: true, filter: isCode });
    for (const other of Object.keys(readPackage(from).dependencies ?? {})) add(other);
  };
  for (const name of [...Object.keys(dependencies), 'mocha', 'chai']) add(name);
}

function readPackage(path) {
  return JSON.parse(readFileSync(join(projectRoot, path, 'package.json'), 'utf8'));
}

function copyAddon(target) {
  const release = join(target, 'build', 'cmake', 'Release');
  mkdirSync(release, { recursive: true });
  cpSync(addon, join(release, 'aiforge.node'));
  execFileSync('strip', ['--strip-unneeded', join(release, 'aiforge.node')]);
  const header = readFileSync(join(libtorch, 'include/torch/headeronly/version.h'), 'utf8');
  const version = /#define TORCH_VERSION\s*\\?\s*"([\d.]+)"/.exec(header)[1];
  writeFileSync(join(release, '..', 'libtorch.json'), `${JSON.stringify({ version, flavour: 'cuda' })}\n`);
}

function pack(from, name, file) {
  execFileSync('tar', ['-C', from, '-cJf', file, name], { env: { ...process.env, XZ_OPT: '-6' } });
  console.log(`${basename(file)}: ${(statSync(file).size / 1e6).toFixed(1)} MB`);
}
