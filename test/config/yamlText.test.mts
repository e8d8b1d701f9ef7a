import { expect } from 'chai';
import fc from 'fast-check';
import { readYamlText } from '#lib/config/yamlText.js';
import { stringify } from '#lib/config/yamlLibrary.js';

const read = (text: string) =>
  readYamlText(text, ({ line, column, reason }) => new Error(`${line}:${column}: ${reason}`)).value;

describe('YAML', () => {
  for (const [what, text, value] of [
    ['merges keys', 'a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3', { a: { x: 1, y: 2 }, b: { x: 1, y: 3 } }],
    ['merges several mappings, the first one first', '<<: [{a: 1}, {a: 2, b: 3}]', { a: 1, b: 3 }],
    ['leaves a key alone that is << in quotes', '"<<": 1', { '<<': 1 }],
    [
      'has keys as they are written',
      '1.0: a\nnull: b\ntrue: c\n0x1F: d',
      { '1.0': 'a', null: 'b', true: 'c', '0x1F': 'd' },
    ],
    [
      'has yes, no, on, off and dates as texts',
      '[yes, no, on, off, 2024-01-01, 12:30]',
      ['yes', 'no', 'on', 'off', '2024-01-01', '12:30'],
    ],
    [
      'reads true, null, hexadecimal and octal numbers',
      '[true, True, null, ~, 0x1F, 0o17]',
      [true, true, null, null, 31, 15],
    ],
    ['reads infinities and what is no number', '[.inf, -.inf, .nan]', [Infinity, -Infinity, NaN]],
    ['keeps integers that a double holds exactly', '[9007199254740992, 1000000000000000000000]', [2 ** 53, 1e21]],
    ['takes explicit tags', 'a: !!str 12\nb: !!int "7"', { a: '12', b: 7 }],
    ['takes tabs between the parts of JSON', '{"a":\t1,\n\t"b": [2]}', { a: 1, b: [2] }],
    ['shares what an alias names', 'a: &a [1]\nb: *a', { a: [1], b: [1] }],
  ] as [string, string, unknown][]) {
    it(what, () => expect(read(text)).to.deep.equal(value));
  }

  for (const [what, text, reason] of [
    [
      'an integer that would be rounded',
      'a: 1\nn: 1234567890123456789',
      '2:4: 1234567890123456789 is too large to be kept exactly and would become 1234567890123456768',
    ],
    ['one within a list', 'a: [1, -9007199254740993]', '1:8: -9007199254740993 is too large'],
    ['one in hexadecimal', 'n: 0xFFFFFFFFFFFFFFFF', '1:4: 0xFFFFFFFFFFFFFFFF is too large'],
    ['a number beyond all doubles', 'n: 1e400', '1:4: 1e400 is larger than any number'],
    [
      'leading zeros, octal in one YAML and decimal in another',
      'n: 017',
      "1:4: 017 begins with a zero; write 17 for the number, or '017' for a text",
    ],
    ['an alias without an anchor', 'a: 1\nb: *x', '2:4: the alias *x has no anchor &x before it'],
    ['an alias before its anchor', 'a: *x\nb: &x 1', '1:4: the alias *x has no anchor'],
    ['a circular alias', 'a: &a\n  b: *a', '2:6: the alias *a stands within what it is an alias of'],
    ['one at some distance', 'a: &a\n  - b: {c: [*a]}', '2:13: the alias *a stands within'],
    ['a circular merge', 'a: &a\n  <<: *a', '2:7: the alias *a stands within'],
    [
      'aliases that multiply beyond bounds',
      `a: &a [1, 1]\n${'bcdefghij'
        .split('')
        .map((c, i) => `${c}: &${c} [${`*${'abcdefghi'[i]}, `.repeat(9)}]\n`)
        .join('')}`,
      '1:1: not valid YAML: Excessive alias count',
    ],
    ['a merge of what is no mapping', 'a:\n  <<: 3', '2:3: the key << takes a mapping'],
    ['a key given twice', 'a: 1\na: 2', '2:1: not valid YAML: Map keys must be unique'],
    ['the same key in quotes', '1: a\n"1": b', '2:1: not valid YAML: Map keys must be unique'],
    ['a tab as indentation', 'a:\n\tb: 1', '2:1: not valid YAML: Tabs are not allowed as indentation'],
    ['a key that is a list', '[a]: 1', '1:1: not valid YAML: With stringKeys, all keys must be strings'],
    ['an unknown tag', 'a: !!python/tuple [1]', '1:4: not valid YAML: Unresolved tag'],
    ['an unknown directive', '%FOO bar\n---\na: 1', '1:1: not valid YAML: Unknown directive'],
    ['a date made by a tag', 'a: !!timestamp 2024-01-01', "1:16: '2024-01-01' is a date or bytes"],
    ['a second document', 'a: 1\n---\nb: 2', '2:1: not valid YAML: Source contains multiple documents'],
  ] as [string, string, string][]) {
    it(`refuses ${what}, with its place`, () => expect(() => read(text)).to.throw(reason));
  }

  it('gives back with stringify what it read, whatever it is', () => {
    const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(2 ** 53, -(2 ** 70), 1e21, 0.1, -0));
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom('<<', '007', '1e400', '0x1F', '*x', '~', '2024-01-01', 'yes', '#'),
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        number,
        text,
        fc.boolean(),
        fc.constant(null),
        tie('list'),
        tie('mapping'),
      ),
      list: fc.array(tie('value')),
      mapping: fc.dictionary(text, tie('value')).map((entries) => ({ ...entries })),
    }));
    fc.assert(fc.property(value, (given) => void expect(read(stringify(given))).to.deep.equal(given)));
  });
});
