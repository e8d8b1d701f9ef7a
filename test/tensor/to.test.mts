import { expect } from 'chai';
import { ones, type Tensor } from 'aiforge';

describe('Tensor.to', () => {
  it('takes a dtype, a device, both, another tensor, or options', () => {
    const x = ones(2);
    expect(x.to('float64').dtype).to.equal('float64');
    expect(x.to('cpu', 'int64').dtype).to.equal('int64');
    expect(x.to(null, 'bool').dtype).to.equal('bool');
    expect(x.to('cpu', { dtype: 'int8' }).dtype).to.equal('int8');
    expect(x.to({ dtype: 'int8' }).dtype).to.equal('int8');
    expect(x.to(ones([1], { dtype: 'float16' })).dtype).to.equal('float16');
    expect(x.to('meta').device).to.equal('meta');
  });

  it('copies only when asked or needed', () => {
    const x = ones(2);
    const isSame = (other: Tensor) => other.dataPtr() === x.dataPtr();
    expect(isSame(x.to('float32'))).to.equal(true);
    expect(isSame(x.to('float32', false, true))).to.equal(false);
    expect(isSame(x.to('cpu', 'float32', false, true))).to.equal(false);
    expect(isSame(x.to('float32', { copy: true }))).to.equal(false);
  });

  it('keeps or changes the memory format', () => {
    const x = ones(1, 2, 3, 4);
    expect(x.to('float64', false, true, { memoryFormat: 'channels_last' }).stride()).to.deep.equal([24, 1, 8, 2]);
  });

  it('refuses anything else', () => {
    const x = ones(2) as unknown as { to(...args: unknown[]): Tensor };
    expect(() => x.to('float99')).to.throw(/to: expected a dtype, a device or a Tensor, got 'float99'/);
    expect(() => x.to('cpu', 'float99')).to.throw(/'float99'/);
    expect(() => x.to('float32', 1)).to.throw(/to: expected/);
    expect(() => x.to({ dtype: 'nothing' })).to.throw(/'nothing'/);
  });

  it('moves to CUDA devices alone by cuda()', () => {
    for (const device of ['cpu', 'meta', 'mps', -1, 1.5]) {
      expect(() => ones([2]).cuda(device as 'cuda'), String(device)).to.throw(
        /device must be a CUDA device, such as 0 or 'cuda:0'/,
      );
    }
  });
});
