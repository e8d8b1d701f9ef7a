// Writes lib/tensor/generated/: typed functions and methods for the aten:: operators that Python's torch has under a public
// name, out of the schemas that the linked LibTorch's dispatcher lists.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { functionsFile, installFile, methodsFile, reachFile } from './operators/files.mjs';
import { namespaces, readPublic, readPythonNames } from './operators/schemas.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const folder = path.join(root, 'lib', 'tensor', 'generated');
const native = createRequire(import.meta.url)(path.join(root, 'build', 'cmake', 'Release', 'aiforge.node'));

// Members of Tensor that are written by hand (lib/tensor/tensor.ts, lib/tensor/members.ts).
const ownMembers = new Set([
  'dim',
  'numel',
  'size',
  'stride',
  'item',
  'isContiguous',
  'to',
  'data',
  'requiresGrad_',
  'norm',
  'nonzero',
]);

const known = new Set(native.operatorNames());
const names = readPublic(native);
const methods = new Map([...names.get('Tensor')].filter(([name]) => !ownMembers.has(name)));

mkdirSync(folder, { recursive: true });
for (const namespace of Object.keys(namespaces)) {
  const file = namespace === 'torch' ? 'functions' : namespace;
  writeFileSync(path.join(folder, `${file}.ts`), functionsFile(namespace, names.get(namespace), known));
}
writeFileSync(path.join(folder, 'methods.ts'), methodsFile(methods));
writeFileSync(path.join(folder, 'install.ts'), installFile(methods, names.get('torch'), known));
writeFileSync(path.join(folder, 'reach.ts'), reachFile(readPythonNames().operators));
console.log([...names].map(([namespace, groups]) => `${groups.size} of ${namespace}`).join(', '));
