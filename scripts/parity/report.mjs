// Writes docs/parity.md out of the results of a whole run.
import { acceptedErrors, closeOnly, knownDifferences, withoutOperator } from './lists.mjs';

export const sum = (results, key) => results.reduce((total, result) => total + result[key], 0);
export const number = (value) => value.toLocaleString('en-US');

export function table(heads, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Rows of the entries' names by the reason that they share. */
export function grouped(pairs) {
  const groups = new Map();
  for (const [name, reason] of pairs) groups.set(reason, [...(groups.get(reason) ?? []), `\`${name}\``]);
  return [...groups].map(([reason, names]) => [names.join(', '), reason]);
}

const reasons = (results, list) =>
  grouped(results.filter(({ name }) => list.has(name)).map(({ name }) => [name, list.get(name)]));

export function markdown(results) {
  const withOperator = results.filter(({ name, samples }) => samples > 0 && !withoutOperator.has(name));
  const passed = withOperator.filter(({ failed }) => failed === 0);
  const withoutSamples = results.filter(({ samples }) => samples === 0).map(({ name }) => `\`${name}\``);
  const close = passed.filter(({ tensors, identical }) => tensors > identical);
  const tensors = sum(passed, 'tensors');
  const onlyClose = tensors - sum(passed, 'identical');
  const failing = reasons(results, knownDifferences);
  const sections = [
    '# Parity with PyTorch',
    'Written by `npm run test:parity -- --all --write`; do not edit.',
    "Every entry of PyTorch's own operator database (`torch.testing._internal.common_methods_invocations.op_db`, 2.13.0) is run " +
      'in Python and in aiforge on the CPU, with the same samples, for float32, float64, int64, complex128 and bool where the ' +
      'operator takes them. Compared are kinds, names of results, dtypes, shapes, strides, values, for differentiable operators the ' +
      'gradients of all inputs for random cotangents, and the forms as methods and in place. Values pass by the default tolerances of ' +
      '`torch.testing.assert_close`; random operators must draw the same numbers from the same seed.',
    table(
      ['', ''],
      [
        ['entries of op_db', number(results.length)],
        ['entries with an operator and samples', number(withOperator.length)],
        [
          'of them pass in full',
          `${number(passed.length)} (${((100 * passed.length) / withOperator.length).toFixed(2)} %)`,
        ],
        ['samples', number(sum(results, 'samples'))],
        ['of them with gradients', number(sum(results, 'gradients'))],
        ['of them as methods too', number(sum(results, 'methods'))],
        ['of them in place too', number(sum(results, 'inPlace'))],
        ['tensors compared in passing entries', number(tensors)],
        ['of them not bit-identical', `${number(onlyClose)} (${((100 * onlyClose) / tensors).toFixed(3)} %)`],
      ],
    ),
    '## Entries that do not pass',
    failing.length > 0 ? table(['entries', 'reason'], failing) : 'None.',
    '## Entries without an operator',
    'LibTorch has no `aten::` operator of their name, and aiforge does not offer what Python builds in their place.',
    table(['entries', 'reason'], reasons(results, withoutOperator)),
    '## Entries without samples',
    `On the CPU, for the five dtypes, op_db has no samples for ${withoutSamples.join(', ')}.`,
    '## Inputs that Python refuses',
    `op_db has ${number(sum(results, 'refusals'))} inputs that Python must refuse for these entries. aiforge refuses all but ` +
      `${number(sum(results, 'accepted'))} of them, ${number(sum(results, 'sameMessage'))} with Python's very reason in the message.`,
    table(['entries that take one', 'reason'], reasons(results, acceptedErrors)),
    '## Entries that are called otherwise than by their name',
    'All others are public functions, or methods, by the rule of names.',
    table(['entries', 'reason'], grouped(withOperator.filter((r) => r.isSpecial).map(({ name, how }) => [name, how]))),
    '## Entries that are close, not bit-identical',
    close.length > 0
      ? table(
          ['entry', 'tensors', 'close only', 'reason'],
          close.map((r) => [
            `\`${r.name}\``,
            number(r.tensors),
            number(r.tensors - r.identical),
            closeOnly.get(r.name) ?? '',
          ]),
        )
      : 'None.',
  ];
  return `${sections.join('\n\n')}\n`;
}
