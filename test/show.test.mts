import { nn, ones, optim } from 'aiforge';
import { expect } from 'chai';
import { show } from '#lib/show.js';

describe('show', () => {
  it('quotes strings, and tells tensors, modules and optimizers by what they are', () => {
    expect(show('0.1')).to.equal("'0.1'");
    expect(show(ones([2, 3]))).to.equal('float32[2, 3]');
    const gone = ones([1]);
    gone.dispose();
    expect(show(gone)).to.equal('disposed tensor');
    const layer = new nn.Linear(1, 1);
    expect(show([layer, layer.weight])).to.equal('[Linear, float32[1, 1]]');
    expect(show(new optim.SGD(layer.parameters()))).to.equal('SGD');
    expect(show(nn.Linear)).to.equal('class Linear');
    expect(show({ lr: '0.1', weight: layer.weight })).to.equal("{ lr: '0.1', weight: float32[1, 1] }");
    expect([undefined, null, NaN, 3n, true].map(show)).to.deep.equal(['undefined', 'null', 'NaN', '3n', 'true']);
  });

  it('shows the beginning of what is long or deep, and runs nothing of it', () => {
    expect(show(Array.from({ length: 20 }, (_, i) => i))).to.equal('[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, …]'); // prettier-ignore
    expect(show([[[[1]]]])).to.equal('[[[[…]]]]');
    expect(show('x'.repeat(1000)).length).to.be.lessThan(150);
    expect(show(new Float32Array(1000)).length).to.be.lessThan(220);
    const trap = (): never => expect.fail('it was read');
    expect(show({ get value() { return trap(); } })).to.equal('{ value: [getter] }'); // prettier-ignore
    expect(show(new Proxy({}, { get: trap, has: trap, ownKeys: trap, getPrototypeOf: trap }))).to.be.a('string');
  });

  it('shows that a value cannot be read, and the rest of what it lies in', () => {
    for (const target of [{}, [], () => undefined]) {
      const { proxy, revoke } = Proxy.revocable(target, {});
      revoke();
      expect(show(proxy)).to.equal('a proxy that cannot be read');
      expect(show([1, { inner: proxy }])).to.equal('[1, { inner: a proxy that cannot be read }]');
    }
    const error = Object.defineProperty(new Error('e'), 'message', { get: () => expect.fail('it was read') });
    expect(show(error)).to.equal('a value that cannot be read');
  });
});
