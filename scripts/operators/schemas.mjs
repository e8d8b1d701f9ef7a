// The operators that have a public name, in the order in which Python tries their overloads.
import { readFileSync } from 'node:fs';

// native/calls/values.h
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
  'QScheme',
];

/** Where operators are public, with the prefix that their base names have there. */
export const namespaces = { torch: '', linalg: 'linalg_', fft: 'fft_', special: 'special_', nn: '' };

export const readPythonNames = () => JSON.parse(readFileSync(new URL('python-names.json', import.meta.url), 'utf8'));

export const camelCase = (name) => name.replace(/(?<=[a-z0-9A-Z])_+([a-z0-9])/g, (_, letter) => letter.toUpperCase());

export const isRequired = (parameter) => !parameter.hasDefault && !parameter.isOptional;

/** `python_arg_parser.cpp`: functions that take plain numbers for tensors. */
const numeric = new Set([
  'add',
  'sub',
  'subtract',
  'mul',
  'multiply',
  'div',
  'divide',
  'true_divide',
  'floor_divide',
  'copy',
]);
const takesNumbers = (base) => numeric.has(base.replace(/_$/, ''));

// Overloads that only LibTorch's own older callers use: Python's wrapper does what the other one does.
const superseded = new Set(['stft']);

const full = (base, overload) => (overload === 'default' ? base : `${base}.${overload}`);

/** Reads the overloads of one base name, leaving out what the linked LibTorch does not have. */
function readOverloads(native, known, base, text) {
  const overloads = [];
  for (const entry of text.split(' ')) {
    const [name, out] = entry.split('|').map((overload) => full(base, overload));
    if (!known.has(name) || superseded.has(name)) continue;
    const schema = native.schema(name);
    const args = schema.arguments.map((a) => ({
      ...a,
      kind: kinds[a.kind],
      option: camelCase(a.name),
      takesNumbers: takesNumbers(base) && kinds[a.kind] === 'Tensor',
    }));
    const returns = schema.returns.map((r) => ({ ...r, kind: kinds[r.kind] }));
    if ([...args, ...returns].some((a) => a.kind === undefined)) continue;
    const outName = out !== undefined && known.has(out) ? out : undefined;
    overloads.push({
      name,
      base,
      args,
      returns,
      text: schema.schema,
      out: outName,
      outCount: outName === undefined ? 0 : native.schema(outName).arguments.filter((a) => a.isOut).length,
    });
  }
  return overloads;
}

/**
 * The public names of each namespace, `Tensor` among them, each with its overloads:
 * `Map<namespace, Map<camelCase name, { base, overloads }>>`.
 */
export function readPublic(native) {
  const known = new Set(native.operatorNames());
  const { overloads, operators } = readPythonNames();
  const result = new Map();
  for (const [namespace, groups] of Object.entries(overloads)) {
    const prefix = namespaces[namespace] ?? '';
    const named = new Map();
    for (const [base, text] of Object.entries(groups)) {
      // torch has some steps of others under a name without an underscore; `nn` is what the library itself calls.
      if (namespace !== 'nn' && base in operators.inner) continue;
      const forms = readOverloads(native, known, base, text);
      if (forms.length > 0) named.set(camelCase(base.slice(prefix.length)), { base, overloads: forms });
    }
    result.set(namespace, named);
  }
  return result;
}
