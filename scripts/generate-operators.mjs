// Writes lib/tensor/generated/: a typed function and method for every public aten:: operator of the linked LibTorch,
// out of the schemas that its dispatcher lists.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const folder = path.join(root, 'lib', 'tensor', 'generated');
const native = createRequire(import.meta.url)(path.join(root, 'build', 'cmake', 'Release', 'aiforge.node'));

// native/values.h
const kinds = [
  'Tensor',
  'Int',
  'Float',
  'Bool',
  'Scalar',
  'String',
  'ScalarType',
  'Layout',
  'MemoryFormat',
  'Device',
  'Generator',
];
const typeOf = {
  Tensor: 'Tensor',
  Int: 'number | bigint',
  Float: 'number',
  Bool: 'boolean',
  Scalar: 'Scalar',
  String: 'string',
  ScalarType: 'DType',
  Layout: 'Layout',
  MemoryFormat: 'MemoryFormat',
  Device: 'Device',
  Generator: 'Generator',
};

// Members of Tensor that are written by hand (lib/tensor/tensor.ts), and names that JavaScript reserves.
const ownMembers = new Set([
  'size',
  'stride',
  'dim',
  'numel',
  'item',
  'isContiguous',
  'isLeaf',
  'retainGrad',
  'retainsGrad',
  'setData',
  'data',
  'backward',
  'requiresGrad_',
  'to',
  'toString',
]);
const reserved = new Set(['var', 'import', 'delete', 'in', 'default']);

const camelCase = (name) => name.replace(/(?<=[a-z0-9A-Z])_+([a-z0-9])/g, (_, letter) => letter.toUpperCase());

function readOverloads() {
  const groups = new Map();
  for (const name of native.operatorNames().sort()) {
    const base = name.split('.')[0];
    if (base.startsWith('_') || base.endsWith('_backward') || base.includes('_backward_') || base === 'item') continue;
    const schema = native.schema(name);
    const args = schema.arguments.map((a) => ({ ...a, kind: kinds[a.kind], option: camelCase(a.name) }));
    if (args.some((a) => a.kind === undefined || a.isOut)) continue;
    const returns = schema.returns.map((r) => ({ ...r, kind: kinds[r.kind] }));
    if (returns.some((r) => r.kind === undefined)) continue;
    const group = groups.get(base) ?? [];
    group.push({ name, base, args, returns, text: schema.schema });
    groups.set(base, group);
  }
  for (const group of groups.values()) group.sort((a, b) => rank(a) - rank(b));
  return groups;
}

// Python tries tensors before numbers, and shorter signatures before longer ones.
function rank({ args }) {
  const required = args.filter((a) => !a.hasDefault && !a.isOptional);
  return required.length * 100 - required.filter((a) => a.kind === 'Tensor').length * 10 + args.length;
}

const isRequired = (a) => !a.hasDefault && !a.isOptional;
const isMethod = ({ args }) =>
  args[0]?.name === 'self' && args[0].kind === 'Tensor' && !args[0].isList && !args[0].isOptional;

function tsType(a) {
  let type = typeOf[a.kind];
  if (a.isList) {
    const item = a.type.startsWith('Tensor?[') ? 'Tensor | null' : type;
    type = item.includes('|') ? `readonly (${item})[]` : `readonly ${item}[]`;
    if (a.listSize > 0) type += ` | ${typeOf[a.kind]}`;
  }
  return a.isOptional ? `${type} | null` : type;
}

function returnType(overload) {
  const types = overload.returns.map((r) => {
    if (r.alias === 0 && isMethod(overload)) return overload.asMethod ? 'this' : 'Tensor';
    const type = { ...typeOf, Int: 'number', Scalar: 'number' }[r.kind];
    return r.isList ? `${type}[]` : type;
  });
  if (types.length === 0) return 'void';
  if (types.length === 1) return types[0];
  const named = overload.returns
    .map((r, i) => (r.name === '' ? '' : `${camelCase(r.name)}: ${types[i]}`))
    .filter(Boolean);
  return `[${types.join(', ')}]` + (named.length > 0 ? ` & { ${named.join('; ')} }` : '');
}

const safeName = (name) =>
  /^(function|in|with|new|default|self|this)$/.test(name) || reserved.has(name) ? `${name}Value` : name;

function optionsType(args, isFactory) {
  const fields = args.map((a) => `${a.option}${isRequired(a) ? '' : '?'}: ${tsType(a)}`);
  if (isFactory) fields.push('requiresGrad?: boolean');
  return `{ ${fields.join('; ')} }`;
}

/** The TypeScript signatures of one overload: all positional, sizes spread, and the rest as options. */
function signatures(overload, args) {
  const isFactory = overload.args.some((a) => a.name === 'pin_memory');
  const positional = args.filter((a) => !a.kwargOnly);
  const required = positional.filter(isRequired);
  const keyword = args.filter((a) => a.kwargOnly);
  const name = (a) => safeName(a.option);
  const result = returnType(overload);
  const list = (given, rest, allOptional) => {
    const lastRequired = given.findLastIndex(isRequired);
    const parts = given.map(
      (a, i) => `${name(a)}${i <= lastRequired || (rest.length > 0 && !allOptional) ? '' : '?'}: ${tsType(a)}`,
    );
    if (rest.length > 0 || isFactory) parts.push(`options${allOptional ? '?' : ''}: ${optionsType(rest, isFactory)}`);
    return `(${parts.join(', ')}): ${result}`;
  };
  const forms = [
    list(
      positional,
      keyword,
      keyword.every((a) => !isRequired(a)),
    ),
  ];
  const optional = positional.filter((a) => !isRequired(a));
  if (optional.length > 0) forms.push(list(required, [...optional, ...keyword], true));
  if (required.length > 0) forms.push(list([], args, false));
  const last = positional.at(-1);
  if (last?.isList && last.kind === 'Int' && last.listSize === 0 && isRequired(last)) {
    const before = positional.slice(0, -1).map((a) => `${name(a)}: ${tsType(a)}`);
    forms.push(`(${[...before, `...${name(last)}: number[]`].join(', ')}): ${result}`);
  }
  return [...new Set(forms)];
}

const quickKinds = {
  Tensor: (v) => [`isTensor(${v})`, `handleIn(${v})`],
  Int: (v) => [`typeof ${v} === 'number'`, v],
  Float: (v) => [`typeof ${v} === 'number'`, v],
  Scalar: (v) => [`typeof ${v} === 'number'`, v],
  Bool: (v) => [`typeof ${v} === 'boolean'`, v],
};

/** A direct call for an overload whose required arguments are plain, so that the usual call costs no look-up. */
function quickPath(overload, id, width) {
  const given = overload.args.filter((a) => !a.kwargOnly && isRequired(a));
  const { returns } = overload;
  const isPrefix = given.every((a, i) => overload.args[i] === a);
  const keywordFree = overload.args.every((a) => !a.kwargOnly || !isRequired(a));
  if (
    !isPrefix ||
    !keywordFree ||
    given.length === 0 ||
    given.length > 3 ||
    given.some((a) => a.isList || !quickKinds[a.kind])
  )
    return '';
  if (returns.length !== 1 || returns[0].kind !== 'Tensor' || returns[0].isList) return '';
  const parts = given.map((a, i) => quickKinds[a.kind](`a${i}`));
  const tests = parts.map(([test]) => test);
  if (given.length < width) tests.push(`a${given.length} === undefined`);
  const call = `call(${id}, ${parts.map(([, value]) => value).join(', ')})`;
  const body = returns[0].alias === 0 ? `${call}; return a0;` : `return wrapHandle(${call});`;
  return `  if (${tests.join(' && ')}) { enterContext(); ${body} }\n`;
}

const header = '// Generated by scripts/generate-operators.mjs from the schemas of LibTorch. Do not edit.\n';
const typeImports =
  "import type { Device, DType, Layout, MemoryFormat, Scalar } from '../dtype.js';\nimport type { Generator } from '../generator.js';\n";

function functionsFile(groups, names) {
  const ids = new Map(names.map((name, i) => [name, `base + ${i}`]));
  const typed = [];
  const plain = [];
  for (const [base, overloads] of groups) {
    const name = camelCase(base);
    const width = Math.max(...overloads.map((o) => o.args.filter((a) => !a.kwargOnly).length)) + 1;
    const params = Array.from({ length: width }, (_, i) => `a${i}: any`).join(', ');
    const args = Array.from({ length: width }, (_, i) => `a${i}`).join(', ');
    const table = overloads.map((o) => `overload(${ids.get(o.name)}, '${o.name}')`).join(', ');
    const quickPaths = overloads.map((o) => quickPath(o, ids.get(o.name), width));
    const quick = [...new Map(quickPaths.map((code) => [code.split('{')[0], code])).values()].join('');
    // Sizes may be spread: view(2, 3).
    const spreads = overloads.some((o) =>
      o.args.some((a) => a.isList && a.kind === 'Int' && a.listSize === 0 && !a.kwargOnly),
    );
    const rest = spreads ? ', ...rest: any[]' : '';
    const all = spreads ? `[${args}, ...rest]` : `[${args}]`;
    plain.push(
      `const $${name} = [${table}];\n` +
        `function ${name}$(${params}${rest}): any {\n${spreads && quick ? quick.replaceAll('if (', 'if (rest.length === 0 && ') : quick}  return dispatch('${name}', $${name}, ${all});\n}\n`,
    );
    const forms = overloads.flatMap((o) => [
      `  /** \`${o.text.replace('aten::', '')}\` */`,
      ...signatures(o, o.args).map((s) => `  ${s};`),
    ]);
    typed.push(`export interface ${name}Function {\n${forms.join('\n')}\n}`);
    plain.push(
      `/** \`torch.${base}\` */\nexport const ${reserved.has(name) ? `${name}_` : name} = ${name}$ as ${name}Function;\n`,
    );
  }
  return (
    header +
    "import { native } from '../../native.js';\nimport { enterContext } from '../context.js';\nimport { dispatch, overload } from '../dispatch.js';\nimport { Tensor, wrapHandle as wrap } from '../tensor.js';\n" +
    typeImports +
    `\nconst wrapHandle = wrap as (handle: any) => Tensor;\n// Constants of the module: a property of the addon's exports would be looked up at every call.\nconst { call } = native;\nconst { isTensor, handleOf: handleIn } = Tensor;\nconst base = native.registerOperators([\n${names.map((n) => `  '${n}',`).join('\n')}\n]);\n\n` +
    typed.join('\n\n') +
    '\n\n' +
    plain.join('\n')
  );
}

function methodsFile(groups) {
  const typed = [];
  const installed = [];
  for (const [base, overloads] of groups) {
    const name = camelCase(base);
    const methods = overloads.filter(isMethod);
    if (methods.length === 0 || ownMembers.has(name)) continue;
    const forms = methods.flatMap((o) => [
      `  /** \`${o.text.replace('aten::', '')}\` */`,
      ...signatures({ ...o, asMethod: true }, o.args.slice(1)).map((s) => `  ${name}${s};`),
    ]);
    typed.push(forms.join('\n'));
    const width = Math.max(...methods.map((o) => o.args.filter((a) => !a.kwargOnly).length));
    const spreads = methods.some((o) =>
      o.args.some((a) => a.isList && a.kind === 'Int' && a.listSize === 0 && !a.kwargOnly),
    );
    const params = Array.from({ length: width }, (_, i) => `b${i}: any`).join(', ');
    const args = Array.from({ length: width }, (_, i) => `b${i}`).join(', ');
    const rest = spreads ? ', ...rest: any[]' : '';
    const target = `f.${reserved.has(name) ? `${name}_` : name}`;
    installed.push(
      `  ${name}(${params}${rest}) { return (${target} as any)(this, ${args}${spreads ? ', ...rest' : ''}); }`,
    );
  }
  return (
    header +
    "import type { Tensor } from '../tensor.js';\n" +
    typeImports +
    `\nexport interface TensorOperators {\n${typed.join('\n')}\n}\n`
  ).concat('', '@@INSTALL@@', installed.join(',\n'));
}

const groups = readOverloads();
const names = [...groups.values()].flat().map((o) => o.name);
mkdirSync(folder, { recursive: true });
const [types, installed] = methodsFile(groups).split('@@INSTALL@@');
writeFileSync(path.join(folder, 'functions.ts'), functionsFile(groups, names));
writeFileSync(path.join(folder, 'methods.ts'), types);
writeFileSync(
  path.join(folder, 'install.ts'),
  `${header}import { Tensor } from '../tensor.js';\nimport * as f from './functions.js';\n\n` +
    `const methods: Record<string, (this: Tensor, ...args: any[]) => unknown> = {\n${installed}\n};\n\n` +
    `for (const [name, method] of Object.entries(methods)) {\n  Object.defineProperty(Tensor.prototype, name, { value: method, writable: true, configurable: true });\n}\n`,
);
console.log(`Wrote ${names.length} operators under ${groups.size} names to lib/tensor/generated.`);
