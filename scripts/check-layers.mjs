// Checks that the imports in lib/ point down the layers and form no cycle. An argument names another lib folder to check.
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { ProvisionError, runMain } from './provision/main.mjs';
import { listFiles, projectRoot } from './provision/paths.mjs';

const LEAVES = [
  'native',
  'errors',
  'log',
  'warnOnce',
  'atomicFile',
  'counter',
  'depth',
  'hints',
  'stack',
  'locate',
  'show',
  'nearest',
  'kinds',
  'signature',
  'brand',
  'realms',
  'promised',
  'plainJson',
  'repeated',
  'refusedAssignment',
  'cores',
  'userSignals',
  'slurm',
  'modules',
];
const ENGINE = [...LEAVES, 'tensor', 'autograd', 'nn'];
const TRAINING = [...ENGINE, 'optim', 'data', 'config', 'tracking'];

// What the files of a layer (a folder of lib/, or a file directly in it) may import besides their own layer.
const MAY_IMPORT = {
  stack: [],
  errors: ['brand', 'stack'],
  log: ['errors', 'atomicFile', 'kinds', 'signature'],
  warnOnce: ['log'],
  hints: [],
  // What finds LibTorch and the addon is not in lib/, since it runs before that is compiled.
  locate: ['errors', 'stack', '..'],
  cores: [],
  slurm: ['errors'],
  modules: ['errors', 'locate', 'nearest'],
  userSignals: [],
  threads: ['cores', 'errors'],
  native: ['errors', 'hints', 'locate', 'realms', 'threads'],
  atomicFile: ['errors'],
  counter: [],
  depth: ['errors'],
  show: ['realms'],
  nearest: [],
  kinds: ['realms'],
  refusedAssignment: ['errors'],
  signature: ['errors', 'show', 'nearest', 'kinds', 'promised', 'realms'],
  brand: [],
  realms: [],
  promised: ['errors', 'realms', 'show'],
  plainJson: ['depth', 'errors', 'realms', 'show'],
  tensor: LEAVES,
  autograd: [...LEAVES, 'tensor'],
  // A graphed callable may be a Module.
  cuda: ENGINE,
  nn: [...LEAVES, 'tensor', 'autograd'],
  serialization: [...LEAVES, 'tensor', 'autograd'],
  func: ENGINE,
  // A step asks whether a graph captures it.
  optim: [...ENGINE, 'cuda'],
  // GradScaler steps optimizers.
  amp: [...ENGINE, 'optim', 'cuda'],
  testing: [...LEAVES, 'tensor', 'autograd'],
  // Some measure with operators of nn.
  metrics: ENGINE,
  // Transforms are modules.
  transforms: ENGINE,
  // It makes ranges of modules.
  profiler: ENGINE,
  // Samples are cached in files.
  data: [...ENGINE, 'optim', 'cuda', 'serialization'],
  config: [...LEAVES, 'tensor'],
  tracking: [...LEAVES, 'tensor'],
  // DistributedDataParallel is a Module, hence nn.
  distributed: [...ENGINE, 'cuda'],
  core: [...TRAINING, 'cuda', 'amp', 'metrics', 'profiler'],
  // Its classes are preprocessors of plugins.
  preprocessing: [...LEAVES, 'tensor', 'autograd', 'data', 'core'],
  // Trials are processes that a launcher's guard watches.
  sweeps: [...TRAINING, 'distributed', 'core'],
  cli: [...TRAINING, 'distributed', 'core', 'cuda', 'sweeps'],
  index: [...TRAINING, 'serialization', 'func', 'distributed', 'core', 'testing', 'cuda', 'amp', 'metrics', 'profiler'],
};

await runMain(() => {
  const lib = resolve(process.argv[2] ?? join(projectRoot, 'lib'));
  const imports = listFiles(lib, /\.ts$/).flatMap((file) => importsOf(file, lib));
  const problems = [...wrongDirections(imports), ...cycles(imports)];
  if (problems.length > 0) throw new ProvisionError(`${problems.length} import problems:\n  ${problems.join('\n  ')}`);
  console.log(`${imports.length} imports keep to the layers, without a cycle`);
});

/** The imports of a file from within lib/, as `{ from, to, kind }`, where kind is `value`, `type` or `lazy`. */
function importsOf(file, lib) {
  const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const from = relative(lib, file);
  const to = (specifier) => relative(lib, resolve(dirname(file), specifier)).replace(/\.js$/, '.ts');
  const statements = text.matchAll(/^\s*(?:import|export)\s+(?:([^'";]*?)\s*\bfrom\s*)?'(\.[^']+)'/gm);
  const calls = text.matchAll(/\b(import|require)\(\s*'(\.[^']+)'\s*\)/g);
  return [
    ...[...statements].map(([, names, path]) => ({
      from,
      to: to(path),
      kind: namesOnlyTypes(names) ? 'type' : 'value',
    })),
    ...[...calls].map(([, , path]) => ({ from, to: to(path), kind: 'lazy' })),
  ];
}

function namesOnlyTypes(names = '') {
  if (/^type\b/.test(names)) return true;
  const list = /^\{([\s\S]*)\}$/.exec(names.trim())?.[1].split(',');
  return list?.every((name) => name.trim() === '' || /^type\s/.test(name.trim())) ?? false;
}

function wrongDirections(imports) {
  const layerOf = (path) => path.split('/')[0].replace(/\.ts$/, '');
  return imports.flatMap(({ from, to }) => {
    const [layer, target] = [layerOf(from), layerOf(to)];
    if (layer === target) return [];
    if (!MAY_IMPORT[layer]) return [`${from}: ${layer} is no known layer; add it to scripts/check-layers.mjs`];
    if (MAY_IMPORT[layer].includes(target)) return [];
    return [`${from} imports ${to}: ${layer} may import only ${MAY_IMPORT[layer].join(', ') || 'nothing'}`];
  });
}

// Types are gone at run time, and a lazy import runs after both modules have loaded: neither can break the loading order.
function cycles(imports) {
  const graph = new Map();
  for (const { from, to, kind } of imports) {
    if (kind === 'value') graph.set(from, [...(graph.get(from) ?? []), to]);
  }
  const done = new Set();
  const found = [];
  const visit = (file, path) => {
    if (path.includes(file)) {
      found.push(`cycle: ${[...path.slice(path.indexOf(file)), file].join(' -> ')}`);
      return;
    }
    if (done.has(file)) return;
    for (const to of graph.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}
