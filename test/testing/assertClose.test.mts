import { AssertionError } from 'node:assert';

import { tensor, testing, type AiforgeError } from 'aiforge';
import { expect } from 'chai';

const { assertClose } = testing;

function message(actual: unknown, expected: unknown, options?: testing.AssertCloseOptions): string | null {
  try {
    assertClose(actual, expected, options);
    return null;
  } catch (error) {
    expect(error).to.be.instanceOf(AssertionError);
    return (error as Error).message;
  }
}

const floats = (...values: number[]) => tensor(values, { dtype: 'float32' });

// The messages are those of torch.testing.assert_close 2.13.0 for the same values.
describe('testing.assertClose', () => {
  it('accepts what is close by the dtype’s default tolerances', () => {
    const pairs = [
      ['float16', 1, 1.0009],
      ['bfloat16', 1, 1.01],
      ['float32', 1, 1.000_01],
      ['float64', 1, 1.000_000_1],
      ['complex64', 1, 1.000_01],
      ['int64', 3, 3],
      ['bool', 1, 1],
    ] as const;
    for (const [dtype, left, right] of pairs) {
      assertClose(tensor([left], { dtype }), tensor([right], { dtype }));
    }
    expect(message(tensor([1], { dtype: 'float64' }), tensor([1.000_001], { dtype: 'float64' }))).to.be.a('string');
    assertClose(floats(), floats());
    assertClose(null, null);
    assertClose(floats(1).requiresGrad_(), floats(1));
    assertClose(floats(1, 2).toSparse(), floats(1, 2).toSparse());
    assertClose(tensor([1], { dtype: 'float8_e5m2' }), tensor([1], { dtype: 'float8_e5m2' }));
  });

  it('says how many elements differ, by how much and where', () => {
    expect(message(floats(1, 2, 3), floats(1, 2, 4))).to.equal(
      'Tensor-likes are not close!\n\nMismatched elements: 1 / 3 (33.3%)\nGreatest absolute difference: 1.0 at index (2,) (up to 1e-05 allowed)\nGreatest relative difference: 0.25 at index (2,) (up to 1.3e-06 allowed)',
    );
    expect(message(floats(1, 2, 3, 5).view(2, 2), floats(1, 2, 3, 4).view(2, 2))).to.include('at index (1, 1)');
    expect(message(tensor([1, 2]), tensor([1, 3]))).to.equal(
      'Tensor-likes are not equal!\n\nMismatched elements: 1 / 2 (50.0%)\nGreatest absolute difference: 1 at index (1,)\nGreatest relative difference: 0.3333333432674408 at index (1,)',
    );
    expect(message(floats(NaN), floats(NaN))).to.equal(
      'Tensor-likes are not close!\n\nMismatched elements: 1 / 1 (100.0%)\nGreatest absolute difference: nan at index (0,) (up to 1e-05 allowed)\nGreatest relative difference: nan at index (0,) (up to 1.3e-06 allowed)',
    );
    expect(message(tensor([true]), tensor([false]))).to.equal(
      'Tensor-likes are not equal!\n\nMismatched elements: 1 / 1 (100.0%)\nGreatest absolute difference: 1 at index (0,)\nGreatest relative difference: inf at index (0,)',
    );
    expect(message(tensor([{ re: 1, im: 1 }]), tensor([{ re: 1, im: 2 }]))).to.include('0.4472135901451111');
    expect(message(floats(Infinity, 1), floats(1, 1))).to.include('difference: inf at index (0,)');
    expect(
      message(
        tensor([2 ** 52]).mul(1024),
        tensor([2 ** 52])
          .mul(1024)
          .add(1),
      ),
    ).to.include('Greatest relative difference: 2.168404344971009e-19');
    expect(message(floats(1, 2).toSparse(), floats(1, 3).toSparse())).to.equal(
      'Sparse COO values are not close!\n\nMismatched elements: 1 / 2 (50.0%)\nGreatest absolute difference: 1.0 at index (1,) (up to 1e-05 allowed)\nGreatest relative difference: 0.3333333432674408 at index (1,) (up to 1.3e-06 allowed)',
    );
  });

  it('takes tolerances, both or none', () => {
    assertClose(floats(1), floats(1.4), { rtol: 0, atol: 0.5 });
    expect(message(floats(1, 2), floats(1, 3), { rtol: 1e-3, atol: 0.5 })).to.include(
      'difference: 1.0 at index (1,) (up to 0.5 allowed)\nGreatest relative difference: 0.3333333432674408 at index (1,) (up to 0.001 allowed)',
    );
    expect(message(floats(2), floats(0), { rtol: 0, atol: 0 })).to.match(/^Tensor-likes are not equal!/);
    expect(message(tensor([2, 3]), tensor([2, 5]), { rtol: 0.1, atol: 0.2 })).to.equal(
      'Tensor-likes are not close!\n\nMismatched elements: 1 / 2 (50.0%)\nGreatest absolute difference: 2 at index (1,) (up to 0.2 allowed)\nGreatest relative difference: 0.4000000059604645 at index (1,) (up to 0.1 allowed)',
    );
    expect(() => assertClose(floats(1), floats(1), { rtol: 1 })).to.throw('got no atol');
    assertClose(floats(NaN), floats(NaN), { equalNan: true });
    assertClose(NaN, NaN, { equalNan: true });
  });

  it('checks shape, dtype, device, layout and, if asked, strides', () => {
    expect(message(floats(1), floats(1, 2))).to.equal(
      "The values for attribute 'shape' do not match: torch.Size([1]) != torch.Size([2]).",
    );
    expect(message(tensor([1, 2]), floats(1, 2))).to.equal(
      "The values for attribute 'dtype' do not match: torch.int64 != torch.float32.",
    );
    expect(message(floats(1), floats(1).to('meta'))).to.equal(
      "The values for attribute 'device' do not match: cpu != meta.",
    );
    expect(message(floats(1), floats(1).toSparse())).to.equal(
      "The values for attribute 'layout' do not match: torch.strided != torch.sparse_coo.",
    );
    const transposed = floats(1, 2, 3, 4).view(2, 2).t();
    assertClose(transposed, transposed.contiguous());
    expect(message(transposed, transposed.contiguous(), { checkStride: true })).to.equal(
      "The values for attribute 'stride()' do not match: (1, 2) != (2, 1).",
    );
    assertClose(tensor([1, 2]), floats(1, 2), { checkDtype: false });
    expect(message(tensor([1], { dtype: 'float16' }), floats(1.01), { checkDtype: false })).to.include(
      '0.009999990463256836 at index (0,) (up to 1e-05 allowed)\nGreatest relative difference: 0.00990098062902689 at index (0,) (up to 0.001 allowed)',
    );
    assertClose(floats(1), floats(1).toSparse(), { checkLayout: false });
  });

  it('compares numbers, and tensors without a dimension as numbers', () => {
    expect(message(1.5, 2.5)).to.equal(
      'Scalars are not close!\n\nExpected 2.5 but got 1.5.\nAbsolute difference: 1.0 (up to 1e-07 allowed)\nRelative difference: 0.4 (up to 1e-07 allowed)',
    );
    expect(message(1, 2)).to.equal(
      'Scalars are not equal!\n\nExpected 2 but got 1.\nAbsolute difference: 1\nRelative difference: 0.5',
    );
    expect(message(2n ** 60n, 2n ** 60n + 1n)).to.include('Absolute difference: 1\n');
    expect(message({ re: 1, im: 1 }, { re: 1, im: 2 })).to.equal(
      'Scalars are not close!\n\nExpected (1+2j) but got (1+1j).\nAbsolute difference: 1.0 (up to 1e-07 allowed)\nRelative difference: 0.4472135954999579 (up to 1e-07 allowed)',
    );
    expect(message(NaN, NaN)).to.include('Expected nan but got nan.\nAbsolute difference: nan');
    expect(message(tensor(1).to('float32'), tensor(2).to('float32'))).to.equal(
      'Scalars are not close!\n\nExpected 2.0 but got 1.0.\nAbsolute difference: 1.0 (up to 1e-05 allowed)\nRelative difference: 0.5 (up to 1.3e-06 allowed)',
    );
    expect(message(true, false)).to.equal('Booleans mismatch: True is not False');
    assertClose(Infinity, Infinity);
  });

  it('walks through arrays, objects and maps, and names the item', () => {
    assertClose([floats(1), { a: 2 }], [floats(1), { a: 2 }]);
    expect(message([[1, 2], [3, 4]], [[1, 2], [3, 5]])).to.match(/\n\nThe failure occurred for item \[1\]\[1\]$/); // prettier-ignore
    expect(message({ a: floats(1) }, { a: floats(2) })).to.match(/The failure occurred for item \['a'\]$/);
    expect(message(new Map([['a', 1]]), new Map([['a', 2]]))).to.match(/item \['a'\]$/);
    expect(message([1, 2], [1])).to.equal('The length of the sequences mismatch: 2 != 1');
    expect(message({ a: 1 }, { b: 1 })).to.equal(
      "The keys of the mappings do not match:\nMissing keys in the actual mapping: ['b']\nAdditional keys in the actual mapping: ['a']",
    );
  });

  it('says something else when it is asked to', () => {
    expect(message(1, 2, { msg: 'mine' })).to.equal('mine');
    expect(message(1, 2, { msg: (text) => `before\n${text}` })).to.match(/^before\nScalars are not equal!/);
  });

  it('refuses what it cannot compare', () => {
    for (const [actual, expected] of [
      ['a', 'a'],
      [1, tensor(1)],
      [tensor([1]), [1]],
      [undefined, undefined],
    ]) {
      // prettier-ignore
      try {
        assertClose(actual, expected);
        expect.fail('it did not throw');
      } catch (error) {
        expect((error as AiforgeError).code).to.equal('INVALID_ARGUMENT');
      }
    }
  });
});
