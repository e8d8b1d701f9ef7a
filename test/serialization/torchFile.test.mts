import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import {
  AiforgeError,
  arange,
  load,
  manualSeed,
  nn,
  ones,
  optim,
  randn,
  save,
  setNumThreads,
  type Tensor,
  tensor,
  viewAsReal,
  zeros,
} from 'aiforge';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { reference } from '../support/reference.mjs';
import { readZip, writeZip } from './zipFiles.mjs';

interface Described {
  dict: [type: string, key: string, value: unknown][];
}

/** What test/reference/torch_save.py writes. */
interface FromPython {
  dtypes: Record<string, Tensor>;
  views: [Tensor, Tensor, Tensor, Tensor];
  empty: Tensor;
  scalar: Tensor;
  parameter: Tensor;
  model: Record<string, Tensor>;
  optimizer: optim.OptimizerStateDict;
  plain: unknown[];
  nested: unknown[];
  numbered: Map<number, string>;
  bothKeys: Map<unknown, unknown>;
  conjugate: [Tensor, Tensor, Tensor];
  negative: Tensor;
  mixed: Map<unknown, unknown>;
  bytes: Uint8Array;
  set: Set<number>;
  complex: unknown;
  size: unknown;
  dtype: unknown;
  device: unknown;
  ordered: object;
}

const at = (value: unknown, ...keys: string[]): unknown =>
  keys.reduce((inner, key) => (inner as Described).dict.find(([, name]) => name === key)![2], value);

describe('save and load', () => {
  const folder = temporaryFolder('torch-file');
  const file = path.join(folder, 'data.pt');

  it('read what they wrote', () => {
    const base = arange(6).reshape([2, 3]);
    const nested = {
      a: [1, -2.5, 'é', true, null, 2n ** 70n, -(2n ** 64n)],
      b: { c: base.t() },
      d: ones([2], { dtype: 'uint16' }),
    };
    save(nested, file);
    const found = load<typeof nested>(file);
    expect(found.a).to.deep.equal(nested.a);
    expect(found.b.c.tolist()).to.deep.equal(base.t().tolist());
    expect(found.b.c.stride()).to.deep.equal([1, 3]);
    expect(found.d.dtype).to.equal('uint16');
    save(
      new Map<unknown, unknown>([
        [[1], 'list'],
        [null, 2],
      ]),
      file,
    );
    expect(load<Map<unknown, unknown>>(file).get(null)).to.equal(2);
  });

  it('keep what tensors share, and write no more than they need', () => {
    const base = zeros([1000, 1000]);
    save({ a: base.at(1), b: base.at([1, 3]), c: base.at(2) }, file);
    expect(readFileSync(file).length).to.be.at.most(20_000);
    const { a, c } = load<{ a: Tensor; c: Tensor }>(file);
    expect(a.dataPtr() === c.dataPtr()).to.equal(false);
    save({ whole: arange(4), half: arange(4) }, file);
    const shared = arange(4);
    save({ whole: shared, half: shared.at('2:') }, file);
    const { whole, half } = load<{ whole: Tensor; half: Tensor }>(file);
    whole.fill_(7);
    expect(half.tolist()).to.deep.equal([7, 7]);
  });

  it('write the same bytes for the same content', () => {
    save({ x: arange(3) }, file);
    const first = readFileSync(file);
    save({ x: arange(3) }, file);
    expect(readFileSync(file).equals(first)).to.equal(true);
  });

  it('refuse what is no data', () => {
    for (const [value, message] of [
      [{ model: new nn.Linear(1, 1) }, /save: model is .*stateDict\(\)/],
      [{ a: [() => 1] }, /save: a\[0\] is/],
    ] as const) {
      expect(() => save(value, file)).to.throw(message);
    }
  });

  it('name what is wrong with a file', () => {
    save({ x: arange(1000) }, file);
    const whole = readFileSync(file);
    const broken = path.join(folder, 'broken.pt');
    const flipped = Buffer.from(whole);
    flipped[2000]! ^= 1;
    for (const bytes of [
      whole.subarray(0, 3000),
      flipped,
      Buffer.from('no zip file'),
      Buffer.alloc(0),
      whole.subarray(8),
    ]) {
      writeFileSync(broken, bytes);
      expect(() => load(broken))
        .to.throw()
        .with.property('code', 'FILE_INVALID');
    }
    for (let at = 0; at < whole.length; at += 7) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 0x55;
      writeFileSync(broken, damaged);
      try {
        load(broken);
      } catch (error) {
        expect(error, `byte ${at}`).to.have.property('code', 'FILE_INVALID');
      }
    }
    expect(() => load(path.join(folder, 'none.pt')))
      .to.throw()
      .with.property('code', 'FILE_NOT_FOUND');
  });

  it('survive pickles that were tampered with', () => {
    save({ x: arange(3), list: [1, 'two', { three: 3 }], t: ones([2], { dtype: 'uint16' }) }, file);
    const entries = readZip(file);
    const pickle = entries.find(({ name }) => name.endsWith('data.pkl'))!;
    const whole = Buffer.from(pickle.content);
    const outcomes = new Set<string>();
    for (let at = 0; at < whole.length; ++at) {
      for (const value of [0, 0x28, 0x52, 0x81, 0x94, 0xff, whole[at]! ^ 1]) {
        pickle.content = Buffer.from(whole);
        pickle.content[at] = value;
        writeZip(file, entries);
        try {
          load(file);
          outcomes.add('loaded');
        } catch (error) {
          expect(error, `byte ${at}, ${value}`).to.be.instanceOf(AiforgeError);
          outcomes.add((error as AiforgeError).code);
        }
      }
    }
    expect(outcomes).to.include('loaded').and.include('FILE_INVALID');
  });

  describe('exchange with Python', function () {
    this.timeout(120_000);

    it('reads every kind of data that torch.save writes', function () {
      reference(this, 'torch_save.py', 'write', file);
      const found = load<FromPython>(file);
      for (const [name, value] of Object.entries(found.dtypes)) {
        expect(value.dtype).to.equal(name);
        expect(value.to('complex128').tolist()).to.deep.equal(
          [0, 1, name === 'bool' ? 1 : 2].map((re) => ({ re, im: 0 })),
        );
      }
      expect(found.views.map((view) => view.stride())).to.deep.equal([[4, 1], [1, 4], [1], [4, 2]]);
      found.views[0].fill_(7);
      expect(found.views[2].tolist()).to.deep.equal([7, 7, 7, 7]);
      expect(found.empty.shape).to.deep.equal([0, 3]);
      expect(found.scalar.item()).to.equal(2.5);
      expect(found.parameter.requiresGrad).to.equal(true);
      expect(Object.keys(found.model)).to.include('1.num_batches_tracked');
      expect((found.optimizer.state[0]!.step as Tensor).item()).to.equal(1);
      expect(found.optimizer.param_groups[0]!.betas).to.deep.equal([0.9, 0.999]);
      expect(found.plain).to.deep.equal([1, -2.5, null, true, 'é\n', 1e12, 2n ** 70n, -(2n ** 70n), Infinity]);
      expect(found.nested).to.deep.equal([1, [2, [3, { a: [] }]]]);
      expect([...found.numbered]).to.deep.equal([[2, 'b'], [1, 'a'], [-3, 'c']]); // prettier-ignore
      expect([...found.bothKeys]).to.deep.equal([[1, 'number'], ['1', 'text']]); // prettier-ignore
      const complex = (re: number, im: number) => ({ re, im });
      expect(found.conjugate.map((tensor) => tensor.tolist())).to.deep.equal([
        [complex(1, 2), complex(3, -4)],
        [complex(1, -2), complex(3, 4)],
        [[complex(1, -2)], [complex(3, 4)]],
      ]);
      expect(found.negative.tolist()).to.deep.equal([-2, 4]);
      expect([...found.mixed]).to.deep.equal([
        [[1, 2], 'tuple'],
        [null, 'none'],
      ]);
      expect([...found.bytes]).to.deep.equal([0, 97, 98, 255]);
      expect(found.set).to.deep.equal(new Set([1, 2]));
      expect(found.complex).to.deep.equal({ re: 1, im: 2 });
      expect(found.size).to.deep.equal([3, 4]);
      expect([found.dtype, found.device]).to.deep.equal(['float32', 'cpu']);
      expect(Object.keys(found.ordered)).to.deep.equal(['z', '__proto__']);
      expect(Object.getPrototypeOf(found.ordered)).to.equal(Object.prototype);
    });

    it('writes conjugate and negative views beside what shares their memory', function () {
      const z = tensor([
        { re: 1, im: 2 },
        { re: 3, im: -4 },
      ]);
      for (const views of [
        [z, z.conj()],
        [z.conj(), z],
        [z.conj().imag, z.imag],
      ]) {
        // prettier-ignore
        save({ views }, file);
        const expected = views.map((view) => view.tolist());
        expect(load<{ views: Tensor[] }>(file).views.map((view) => view.tolist())).to.deep.equal(expected);
        const { value } = JSON.parse(reference(this, 'torch_save.py', 'read', file)) as { value: Described };
        const read = at(value, 'views') as { values: unknown }[];
        const parts = views.map((view) => (view.isComplex() ? viewAsReal(view.resolveConj()) : view).tolist());
        expect(read.map(({ values }) => values)).to.deep.equal(parts);
      }
    });

    it('writes what torch.load reads, weights only', function () {
      const base = arange(12, { dtype: 'float32' }).reshape([3, 4]);
      save(
        {
          views: [base, base.t(), base.at(1)],
          n: [1, 2.5, null, true, 'é', 2n ** 70n],
          state: { 0: { step: ones([]) }, 1: {} },
        },
        file,
      );
      const { value, storages } = JSON.parse(reference(this, 'torch_save.py', 'read', file)) as {
        value: Described;
        storages: number;
      };
      expect(storages).to.equal(1);
      const views = at(value, 'views') as { values: unknown; stride: number[] }[];
      expect(views.map(({ values }) => values)).to.deep.equal(
        [base, base.t(), base.at(1)].map((view) => view.tolist()),
      );
      expect(views.map(({ stride }) => stride)).to.deep.equal([[4, 1], [1, 4], [1]]);
      expect(at(value, 'n')).to.deep.equal([
        ['int', '1'],
        ['float', '2.5'],
        ['NoneType', 'None'],
        ['bool', 'True'],
        ['str', "'é'"],
        ['int', String(2n ** 70n)],
      ]);
      expect((at(value, 'state') as Described).dict.map(([type, key]) => [type, key])).to.deep.equal([
        ['int', '0'],
        ['int', '1'],
      ]);
    });

    it('hands a training run to Python and back', function () {
      setNumThreads(1);
      manualSeed(0);
      const x = randn([4, 3]);
      const model = new nn.Linear(3, 2);
      const optimizer = new optim.AdamW(model.parameters(), { lr: 0.05 });
      const steps = (count: number): void => {
        for (let i = 0; i < count; ++i) {
          optimizer.zeroGrad();
          model.forward(x).square().mean().backward();
          optimizer.step();
        }
      };
      steps(3);
      save({ model: model.stateDict(), optimizer: optimizer.stateDict(), x }, file);
      reference(this, 'torch_save.py', 'train', file);
      const trained = load<{ model: Record<string, Tensor>; optimizer: optim.OptimizerStateDict }>(file);
      steps(3);
      expect(trained.model.weight!.equal(model.weight)).to.equal(true);
      expect(
        (trained.optimizer.state[0]!.exp_avg_sq as Tensor).equal(
          optimizer.state.get(model.weight)!.exp_avg_sq as Tensor,
        ),
      ).to.equal(true);
      model.loadStateDict(trained.model);
      optimizer.loadStateDict(trained.optimizer);
      expect(optimizer.paramGroups[0]!.lr).to.equal(0.05);
    });
  });
});
