// Direct calls for the usual forms of an operator, so that they cost no look-up of the overload.
import { isRequired } from './schemas.mjs';
import { spreadIndex } from './types.mjs';

const simple = {
  Tensor: (v) => [`isTensor(${v})`, `handleIn(${v})`],
  Int: (v) => [`isInteger(${v})`, v],
  Float: (v) => [`typeof ${v} === 'number'`, v],
  Scalar: (v) => [`typeof ${v} === 'number'`, v],
  Bool: (v) => [`typeof ${v} === 'boolean'`, v],
  String: (v) => [`typeof ${v} === 'string'`, v],
};

/** The forms that a parameter's value is quickly recognised in, each `{ kind, test, value }`. */
function quickForms(a, v) {
  const form = (kind, [test, value]) => ({ kind, test, value });
  if (!a.isList) return simple[a.kind] ? [form(a.kind, simple[a.kind](v))] : [];
  const forms = [];
  if (a.kind === 'Int') {
    forms.push(form('Int[]', [`areIntegers(${v})`, v]));
    if (a.listSize > 0) forms.push(form('Int', simple.Int(v)));
  }
  if (a.kind === 'Tensor' && !a.type.startsWith('Tensor?['))
    forms.push(form('Tensor[]', [`areTensors(${v})`, `handlesIn(${v})`]));
  return forms;
}

// What a parameter would take of the values that the quick forms stand for.
function takes(a, kind) {
  if (kind.endsWith('[]'))
    return a.isList && (a.kind === kind.slice(0, -2) || (kind === 'Int[]' && a.kind !== 'Tensor'));
  if (a.isList && a.listSize === 0) return false;
  if (kind === 'Tensor') return ['Tensor', 'Scalar', 'Float', 'Int'].includes(a.kind);
  if (kind === 'Bool') return ['Bool', 'Scalar'].includes(a.kind) || a.takesNumbers;
  if (kind === 'String') return ['String', 'ScalarType', 'Layout', 'MemoryFormat', 'Device'].includes(a.kind);
  if (kind === 'Int') return ['Int', 'Float', 'Scalar'].includes(a.kind) || a.takesNumbers;
  return ['Float', 'Scalar', 'Int'].includes(a.kind) || a.takesNumbers;
}

function couldTake(overload, pattern) {
  const positional = overload.args.filter((a) => !a.kwargOnly);
  if (pattern.length > positional.length) return false;
  if (overload.args.some((a) => isRequired(a) && (a.kwargOnly || positional.indexOf(a) >= pattern.length)))
    return false;
  return pattern.every((kind, i) => takes(positional[i], kind));
}

const isQuickResult = ({ returns }) => returns.length === 1 && returns[0].kind === 'Tensor' && !returns[0].isList;

/**
 * In LibTorch a number has an overload of its own, which is faster than a tensor that stands for the number. But for
 * `mul_`: that overload swaps its factors, which rounds 16-bit floats otherwise than Python's call does.
 */
export const scalarTwin = ({ name }) => (name === 'mul_.Tensor' ? name : name.replace(/\.Tensor$/, '.Scalar'));

function product(lists) {
  return lists.reduce((rows, list) => rows.flatMap((row) => list.map((item) => [...row, item])), [[]]);
}

const most = 4;

function patternsOf(overload, isCommon) {
  const positional = overload.args.filter((a) => !a.kwargOnly);
  const required = positional.findLastIndex(isRequired) + 1;
  const longest = isCommon ? Math.min(positional.length, most) : required;
  const patterns = [];
  for (let count = Math.max(required, 1); count <= Math.min(longest, most); ++count) {
    patterns.push(...product(positional.slice(0, count).map((a, i) => quickForms(a, `a${i}`))));
  }
  // Only one list of tensors crosses in the shared memory.
  return patterns.filter((forms) => forms.filter(({ kind }) => kind === 'Tensor[]').length <= 1);
}

/** The lines of a function's quick path; `idOf` gives the expression for an operator's number. */
export function quickPaths(overloads, idOf, width, isCommon) {
  const lines = new Map();
  overloads.forEach((overload, index) => {
    if (!isQuickResult(overload) || overload.args.some((a) => a.kwargOnly && isRequired(a))) return;
    const emit = (pattern, id) => {
      const kinds = pattern.map((p) => p.kind);
      if (overloads.slice(0, index).some((earlier) => couldTake(earlier, kinds))) return;
      const absent = Array.from({ length: width - pattern.length }, (_, i) => `a${pattern.length + i} === undefined`);
      const test = [...pattern.map((p) => p.test), ...absent].join(' && ');
      if (lines.has(test)) return;
      lines.set(test, body(overload, test, `call(${id}, ${pattern.map((p) => p.value).join(', ')})`));
    };
    for (const pattern of patternsOf(overload, isCommon)) emit(pattern, idOf(overload.name));
    const twin = overload.args[1]?.takesNumbers ? scalarTwin(overload) : overload.name;
    if (twin !== overload.name && idOf(twin) !== undefined) {
      const pattern = [
        quickForms(overload.args[0], 'a0')[0],
        { kind: 'Scalar', test: `typeof a1 === 'number'`, value: 'a1' },
      ];
      emit(pattern, idOf(twin));
    }
  });
  return [...lines.values()];
}

function body({ returns }, test, call) {
  const done = returns[0].alias === 0 ? `${call}; return a0;` : `return wrapHandle(${call});`;
  return `  if (${test}) { enterContext(); ${done} }\n`;
}

/** The quick path for sizes given one by one or as a list, beside at most a tensor. */
export function sizesPath(overloads, idOf) {
  const index = overloads.findIndex(
    (o) => spreadIndex(o) && isQuickResult(o) && !o.args.some((a) => a.kwargOnly && isRequired(a)),
  );
  if (index < 0) return '';
  const overload = overloads[index];
  const isMethod = overload.args[0].name === 'self';
  const kinds = isMethod ? ['Tensor', 'Int[]'] : ['Int[]'];
  if (overloads.slice(0, index).some((o) => couldTake(o, kinds) || couldTake(o, kinds.slice(0, -1).concat('Int'))))
    return '';
  const before = isMethod ? 'handleIn(a0), ' : '';
  const test = isMethod ? 'isTensor(a0) && list !== undefined' : 'list !== undefined';
  return `  const list = sizesOf(sizes);\n` + body(overload, test, `call(${idOf(overload.name)}, ${before}list)`);
}
