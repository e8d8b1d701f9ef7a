import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { runInThisContext } from 'node:vm';
import * as aiforge from '#lib/tensor/index.js';
import { collectGarbage } from '../support/garbage.mjs';
import { reference } from '../support/reference.mjs';

const { cases } = JSON.parse(readFileSync('test/fixtures/printing.json', 'utf8')) as {
  cases: Record<string, { code: string; text: string }>;
};

interface RandomCase {
  dtype: aiforge.DType;
  shape: number[];
  hex?: string;
  pattern?: [number, number, number];
  layout: string;
  options: Record<string, never>;
  requiresGrad: boolean;
  text: string;
}

function randomTensor({ dtype, shape, hex, pattern, layout, requiresGrad }: RandomCase): aiforge.Tensor {
  let made: aiforge.Tensor;
  if (hex === undefined) {
    const [a, m, d] = pattern!;
    const count = shape.reduce((product, size) => product * size, 1);
    const numbers = aiforge
      .arange(count, { dtype: 'float64' })
      .mul(a)
      .remainder(m)
      .sub(Math.floor(m / 2))
      .div(d);
    made = numbers.to(dtype).reshape(shape);
  } else {
    made = aiforge.fromBuffer(Buffer.from(hex, 'hex'), { dtype, shape });
  }
  if (layout === 'sparse_coo') made = made.toSparse();
  if (layout === 'sparse_csr') made = made.toSparseCsr();
  if (layout === 'sparse_csc') made = made.toSparseCsc();
  return requiresGrad ? made.requiresGrad_() : made;
}

describe('printing', () => {
  const { arange, setPrintOptions, tensor, zeros } = aiforge;
  afterEach(() => setPrintOptions({ profile: 'default' }));

  for (const [name, { code, text }] of Object.entries(cases)) {
    it(`prints as PyTorch: ${name}`, () => {
      const make = runInThisContext(
        `({ tensor, zeros, ones, arange, quantizePerTensor, quantizePerChannel }) => ${code}`,
      ) as (names: typeof aiforge) => aiforge.Tensor;
      const made = make(aiforge);
      expect(made.toString()).to.equal(text);
      expect(inspect(made)).to.equal(text);
    });
  }

  it('prints random tensors with random options as Python does now', function () {
    this.timeout(120_000);
    const seed = Date.now() % 1_000_000;
    console.log(`      seed ${seed}`);
    const random = JSON.parse(reference(this, 'printing.py', '--random', String(seed), '600')) as {
      cases: RandomCase[];
    };
    for (const test of random.cases) {
      const { sci_mode: sciMode, ...options } = test.options;
      setPrintOptions({ profile: 'default' });
      setPrintOptions({ ...options, sciMode });
      expect(String(randomTensor(test)), JSON.stringify(test)).to.equal(test.text);
    }
  });

  it('prints a disposed tensor instead of throwing', () => {
    const gone = zeros([2]);
    gone.dispose();
    expect(String(gone)).to.equal('tensor(<disposed>)');
  });

  it('keeps options until they are set again, but for sciMode', () => {
    setPrintOptions({ precision: 2, sciMode: true });
    expect(String(tensor([1.125, 20]))).to.equal('tensor([1.12e+00, 2.00e+01])');
    setPrintOptions({ linewidth: 12 });
    expect(String(tensor([1.125, 20]))).to.equal('tensor([ 1.12,\n        20.00])');
    expect(aiforge.getPrintOptions()).to.deep.equal({
      precision: 2,
      threshold: 1000,
      edgeitems: 3,
      linewidth: 12,
      sciMode: null,
    });
    setPrintOptions({ profile: 'full' });
    expect(String(arange(1500))).not.to.include('...');
  });

  it('refuses options out of range', () => {
    const bad = [{ precision: -1 }, { precision: 1.5 }, { edgeitems: NaN }, { linewidth: 0 }, { profile: 'long' }];
    for (const options of bad) {
      expect(() => setPrintOptions(options as never)).to.throw(/setPrintOptions: /);
    }
    expect(aiforge.getPrintOptions().precision).to.equal(4);
  });

  // Python prints the same, but for `<ToMkldnnBackward0 object at …>`.
  it('shows what oneDNN has in an order of its own', () => {
    const x = aiforge.ones([2, 2]);
    expect(String(x.toMkldnn())).to.equal('tensor([[1., 1.],\n        [1., 1.]], layout=torch._mkldnn)');
    expect(inspect(x.to('bfloat16').toMkldnn())).to.include('dtype=torch.bfloat16, layout=torch._mkldnn');
    expect(String(x.requiresGrad_().toMkldnn())).to.include('layout=torch._mkldnn, grad_fn=<ToMkldnnBackward0>');
    expect(x.toMkldnn().layout).to.equal('_mkldnn');
  });

  it('leaves no tensor behind', () => {
    const big = arange(5000).view(10, 500).toSparse();
    collectGarbage();
    const before = aiforge.memory.stats().tensors;
    void String(big);
    expect(aiforge.memory.stats().tensors).to.be.at.most(before);
  });
});
