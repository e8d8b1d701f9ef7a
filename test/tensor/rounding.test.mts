import { arange, type DType, type Tensor } from 'aiforge';
import { expect } from 'chai';

import { reference } from '../support/reference.mjs';

describe('16-bit arithmetic with numbers', () => {
  it('rounds as Python does, in place too', function () {
    this.timeout(60_000);
    const recorded = JSON.parse(reference(this, 'rounding.py')) as Record<string, number[]>;
    expect(Object.keys(recorded)).to.have.length(16);
    for (const [name, bits] of Object.entries(recorded)) {
      const [dtype, method] = name.split(' ') as [DType, 'add' | 'add_'];
      const x: Tensor = arange(1, 65).to('float32').mul(0.37).to(dtype).clone();
      expect(x[method](0.9).view('int16').tolist(), name).to.deep.equal(bits);
    }
  });
});
