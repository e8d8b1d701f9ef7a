// TypeScript's view of an overload: the types of its parameters, its results and its call forms.
import { camelCase, isRequired } from './schemas.mjs';

const typeOf = {
  Tensor: 'Tensor',
  Int: 'number | bigint',
  Float: 'number | Tensor',
  Bool: 'boolean',
  Scalar: 'Scalar | Tensor',
  String: 'string',
  ScalarType: 'DType',
  Layout: 'Layout',
  MemoryFormat: 'MemoryFormat',
  Device: 'Device',
  Generator: 'Generator',
};
const itemTypeOf = { ...typeOf, Float: 'number', Scalar: 'Scalar' };
const returnTypeOf = { ...typeOf, Int: 'number', Float: 'number', Scalar: 'Scalar', QScheme: 'string' };

const reserved = new Set(['var', 'import', 'delete', 'in', 'default']);

/** The identifier that a function of this name is exported as. */
export const identifier = (name) => (reserved.has(name) ? `${name}_` : name);

const parameterName = (name) =>
  /^(function|in|with|new|default|self|this)$/.test(name) || reserved.has(name) ? `${name}Value` : name;

function parameterType(a) {
  if (a.takesNumbers) return 'Tensor | Scalar';
  let type = typeOf[a.kind];
  if (a.isList) {
    const item = a.type.startsWith('Tensor?[') ? 'Tensor | null' : itemTypeOf[a.kind];
    type = item.includes('|') || item === 'Scalar' ? `readonly (${item})[]` : `readonly ${item}[]`;
    if (a.listSize > 0) type += ` | ${itemTypeOf[a.kind]}`;
  }
  return a.isOptional ? `${type} | null` : type;
}

function returnType(overload, asMethod) {
  const types = overload.returns.map((r) => {
    if (r.alias >= 0 && asMethod && overload.args[r.alias].name === 'self') return 'this';
    const type = returnTypeOf[r.kind];
    return r.isList ? `${type}[]` : type;
  });
  if (types.length === 0) return 'void';
  if (types.length === 1) return types[0];
  const named = overload.returns
    .map((r, i) => (r.name === '' ? '' : `${camelCase(r.name)}: ${types[i]}`))
    .filter(Boolean);
  return `[${types.join(', ')}]` + (named.length > 0 ? ` & { ${named.join('; ')} }` : '');
}

const outType = ({ outCount, returns }) => {
  if (outCount === 1) return returns[0]?.isList ? 'readonly Tensor[]' : 'Tensor';
  return `readonly [${Array.from({ length: outCount }, () => 'Tensor').join(', ')}]`;
};

export const isFactory = ({ args }) => args.some((a) => a.name === 'pin_memory');

/** The names under which a parameter is given: Python calls a function's `self` `input`. */
function shown(args) {
  const rename = !args.some((a) => a.option === 'input');
  return args.map((a) => (a.option === 'self' && rename ? { ...a, option: 'input' } : a));
}

/**
 * The call forms of an overload: all parameters by position, and every split into leading positional ones and an options
 * object that holds the rest.
 */
export function signatures(overload, asMethod = false) {
  const args = shown(asMethod ? overload.args.filter((a) => a.name !== 'self') : overload.args);
  const positional = args.filter((a) => !a.kwargOnly);
  const keyword = args.filter((a) => a.kwargOnly);
  const result = returnType(overload, asMethod);
  const extra = [];
  if (isFactory(overload)) extra.push('requiresGrad?: boolean');
  if (!asMethod && overload.out !== undefined) extra.push(`out?: ${outType(overload)} | null`);
  const options = (rest, allOptional) => {
    const fields = [...rest.map((a) => `${a.option}${isRequired(a) ? '' : '?'}: ${parameterType(a)}`), ...extra];
    return fields.length === 0 ? [] : [`options${allOptional ? '?' : ''}: { ${fields.join('; ')} }`];
  };
  const name = (a) => parameterName(a.option);
  const keywordOptional = keyword.every((a) => !isRequired(a));
  const lastRequired = positional.findLastIndex(isRequired);
  const primary = positional.map(
    (a, i) => `${name(a)}${i <= lastRequired || !keywordOptional ? '' : '?'}: ${parameterType(a)}`,
  );
  const forms = [`(${[...primary, ...options(keyword, keywordOptional)].join(', ')}): ${result}`];
  const spread = spreadIndex(overload, asMethod);
  if (spread)
    forms.push(`(${[...primary.slice(0, -1), `...${name(positional.at(-1))}: number[]`].join(', ')}): ${result}`);
  for (let given = positional.length - 1; given >= 0; --given) {
    const rest = [...positional.slice(given), ...keyword];
    const before = positional.slice(0, given).map((a) => `${name(a)}: ${parameterType(a)}`);
    const allOptional = rest.every((a) => !isRequired(a));
    forms.push(`(${[...before, ...options(rest, allOptional)].join(', ')}): ${result}`);
  }
  return [...new Set(forms)];
}

/** Whether sizes may be spread, as in `view(2, 3)`: the list is all that is given beside the tensor. */
export function spreadIndex({ args }) {
  const positional = args.filter((a) => !a.kwargOnly && a.name !== 'self');
  const [list] = positional;
  return positional.length === 1 && list.isList && list.kind === 'Int' && list.listSize === 0 && isRequired(list);
}

/** Whether every call of one overload is one of another, which gives the same and takes more. */
function covers(wide, narrow) {
  const names = new Map(wide.args.map((a) => [a.name, a]));
  const isShared = narrow.args.every((a) => names.get(a.name)?.type === a.type);
  const own = wide.args.filter((a) => !narrow.args.some((b) => b.name === a.name));
  return isShared && own.length > 0 && own.every((a) => !isRequired(a)) && returnType(wide) === returnType(narrow);
}

/**
 * The overloads in the order in which they are declared: Python's, but before one that takes less, such as the sum of all
 * elements, comes the one that has its calls and more. An editor shows the first.
 */
export function inOrderOfUse(overloads) {
  const ordered = [...overloads];
  for (let i = 0; i < ordered.length; ++i) {
    const wide = ordered.findIndex((overload, j) => j > i && covers(overload, ordered[i]));
    if (wide > 0) ordered.splice(i, 0, ...ordered.splice(wide, 1));
  }
  return ordered;
}
