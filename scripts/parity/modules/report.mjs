// Writes docs/parity-modules.md out of the results of a whole run.
import { grouped, number, sum, table } from '../report.mjs';
import { knownDifferences, withoutSamples } from './lists.mjs';

function verdict({ name, isMissing, failed, samples }) {
  if (samples === 0) return withoutSamples.get(name) ?? 'no samples';
  if (failed === 0) return 'equal';
  const reason = knownDifferences.get(name);
  return isMissing ? 'missing' : `${failed} samples differ${reason === undefined ? '' : `: ${reason}`}`;
}

const row = (result) => [
  `\`${result.name}\`${result.isInDatabase ? '' : ' †'}`,
  number(result.samples),
  number(result.tensors),
  verdict(result),
];

const namesRow = ({ namespace, total, absent }) => [`\`${namespace}\``, number(total - absent.length), number(total)];

function absentSection(coverage) {
  const pairs = coverage.flatMap(({ namespace, absent, reasons }) =>
    absent.map((name) => [`${namespace.replace('torch.', '')}.${name}`, reasons.get(name) ?? 'missing']),
  );
  return pairs.length === 0 ? 'None.' : table(['names', 'reason'], grouped(pairs));
}

export function markdown(results, coverage) {
  const withSamples = results.filter(({ samples }) => samples > 0);
  const passed = withSamples.filter(({ failed }) => failed === 0);
  const sections = [
    '# Parity of the modules with PyTorch',
    'Written by `npm run test:parity:modules -- --write`; do not edit.',
    "Every class of `torch.nn` 2.13.0 is built in Python and in aiforge from the same seed, with the samples of PyTorch's own " +
      'module database (`torch.testing._internal.common_modules.module_db`) and with samples of our own, which also cover the ' +
      'classes that the database lacks (†). In training and in evaluation, in float32 on one thread, these are compared bit by bit: ' +
      'the keys of the state dict and their order, parameters and buffers after construction and after a pass, outputs, gradients ' +
      'of inputs and parameters for random cotangents, dtypes, shapes and strides, the random numbers drawn next, and the text of ' +
      'the printed module. Where Python refuses a sample, as it does those that the database has for the purpose, aiforge must.',
    table(
      ['', ''],
      [
        ['classes with samples', number(withSamples.length)],
        ['of them equal in full', number(passed.length)],
        ['samples', number(sum(results, 'samples'))],
        ['of them with gradients', number(sum(results, 'gradients'))],
        ['of them refused by Python, and here', number(sum(results, 'refused'))],
        ['tensors compared', number(sum(results, 'tensors'))],
      ],
    ),
    table(['class', 'samples', 'tensors', 'verdict'], results.map(row)),
    '## Public names',
    "Names follow one rule: Python's in camelCase, a trailing `_` stays.",
    table(['namespace', 'here', 'in PyTorch'], coverage.map(namesRow)),
    'Absent are:',
    absentSection(coverage),
  ];
  return `${sections.join('\n\n')}\n`;
}
