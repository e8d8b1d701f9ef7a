import path from 'node:path';

import { load, ones, save } from 'aiforge';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { reference } from '../support/reference.mjs';
import { readZip } from './zipFiles.mjs';

interface Described {
  dict: [type: string, key: string, value: [type: string, text: string][]][];
}

describe('pickles of torch.save', () => {
  const folder = temporaryFolder('pickles');
  const file = path.join(folder, 'data.pt');

  it('write a text that occurs again, and the name of a function, once', () => {
    const rows = Array.from({ length: 300 }, (_, i) => ({ kind: 'a row', number: i, x: ones([1]) }));
    save(rows, file);
    const pickle = readZip(file).find(({ name }) => name.endsWith('data.pkl'))!.content;
    const text = Buffer.from(pickle).toString('latin1');
    for (const once of [
      'kind',
      'a row',
      'number',
      '_rebuild_tensor_v2',
      'OrderedDict',
      'FloatStorage',
      'storage',
      'cpu',
    ]) {
      // After its length, or after the module that has it.
      expect(text.match(new RegExp(`[\\0\\n]${once}`, 'g')), once).to.have.length(1);
    }
    expect(load<{ kind: string; number: number }[]>(file).map(({ kind, number }) => [kind, number])).to.deep.equal(
      rows.map(({ kind, number }) => [kind, number]),
    );
  });

  it('write numbers of every size and texts of every length, which occur again', function () {
    const numbers = [
      0,
      255,
      256,
      65535,
      65536,
      -1,
      -129,
      2 ** 31 - 1,
      2 ** 31,
      -(2 ** 31),
      -(2 ** 31) - 1,
      2 ** 53 - 1,
    ];
    const floats = [-0, 0.1, 5e-324, 2 ** 53, -1e300];
    const texts = [
      '',
      'a',
      'b'.repeat(48),
      'c'.repeat(49),
      `${'d'.repeat(47)}é`,
      '😀',
      '\u007f\u0080',
      'é'.repeat(1 << 20),
    ];
    // More of them than the writer remembers.
    const many = Array.from({ length: 70_000 }, (_, i) => `text ${i}`);
    const value = {
      numbers,
      floats,
      texts: [...texts, ...texts],
      many: [...many, ...many.slice(-3), ...many.slice(0, 3)],
    };
    save(value, file);
    expect(load(file)).to.deep.equal(value);
    const read = JSON.parse(reference(this, 'torch_save.py', 'read', file)) as { value: Described };
    const pairs = (key: string): [string, string][] => read.value.dict.find(([, name]) => name === key)![2];
    expect(pairs('numbers')).to.deep.equal(numbers.map((number) => ['int', String(number)]));
    expect(pairs('floats').map(([type, text]) => [type, Number(text)])).to.deep.equal(
      floats.map((number) => ['float', number]),
    );
    const found = pairs('texts').map(([, text]) => text.slice(1, -1));
    expect(
      found.map((text, i) => (i % texts.length === 6 ? text === String.raw`\x7f\x80` : text === texts[i % 8])),
    ).to.not.include(false);
    expect(pairs('many').map(([, text]) => text.slice(1, -1))).to.deep.equal(value.many);
  });
});
