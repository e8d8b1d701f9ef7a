import { amp, matmul, nn, ones, randn } from 'aiforge';
import { expect } from 'chai';

const cpu = { deviceType: 'cpu' } as const;
const x = ones([2, 3]);

describe('autocast', () => {
  it('computes products in the smaller dtype, and sums as they were', () => {
    const y = amp.autocast(cpu, () => matmul(x, x.t()));
    expect(y.dtype).to.equal('bfloat16');
    expect(amp.autocast({ ...cpu, dtype: 'float16' }, () => matmul(x, x.t())).dtype).to.equal('float16');
    expect(amp.autocast(cpu, () => x.add(1)).dtype).to.equal('float32');
  });

  it('ends with the function, however it ends', () => {
    amp.autocast(cpu, () => undefined);
    expect(matmul(x, x.t()).dtype).to.equal('float32');
    expect(() =>
      amp.autocast(cpu, () => {
        throw new RangeError('mine');
      }),
    ).to.throw(RangeError, 'mine');
    expect(matmul(x, x.t()).dtype).to.equal('float32');
  });

  it('is turned off inside another', () => {
    const y = amp.autocast(cpu, () => {
      const inner = amp.autocast({ ...cpu, enabled: false }, () => matmul(x, x.t()));
      expect(matmul(x, x.t()).dtype).to.equal('bfloat16');
      return inner;
    });
    expect(y.dtype).to.equal('float32');
  });

  it('leaves parameters and gradients in their dtype', () => {
    const linear = new nn.Linear(3, 4);
    const y = amp.autocast(cpu, () => linear.forward(randn([2, 3])));
    expect(y.dtype).to.equal('bfloat16');
    y.sum().backward();
    expect(linear.weight.grad!.dtype).to.equal('float32');
  });

  it('casts a weight once for all its uses inside', () => {
    const linear = new nn.Linear(3, 3);
    amp.autocast(cpu, () => linear.forward(linear.forward(x)).sum()).backward();
    const together = linear.weight.grad!.clone();
    linear.zeroGrad();
    amp.autocast({ ...cpu, cacheEnabled: false }, () => linear.forward(linear.forward(x)).sum()).backward();
    expect(together.sub(linear.weight.grad!).abs().max().item<number>()).to.be.lessThan(0.1);
  });

  it('refuses what it would not hold for, and other devices', () => {
    expect(() => amp.autocast(cpu, async () => Promise.resolve(1))).to.throw('returned a promise');
    expect(() => amp.autocast({ deviceType: 'tpu' as never }, () => 1)).to.throw("'cuda' or 'cpu', got 'tpu'");
    expect(() => amp.autocast({ ...cpu, dtype: 'float99' as never }, () => 1)).to.throw('float99');
    expect(matmul(x, x.t()).dtype).to.equal('float32');
  });
});
