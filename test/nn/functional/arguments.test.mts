import { expect } from 'chai';
import { nn, ones, tensor } from 'aiforge';

const F = nn.functional;

describe('arguments of nn.functional', () => {
  it("are taken by position in Python's order, by name, or mixed", () => {
    const input = ones(2, 3).mul(tensor([1, 2, 4]));
    const weight = tensor([1, 2, 3]).to('float32');
    const bias = tensor([3, 2, 1]).to('float32');
    const expected = F.layerNorm(input, [3], { weight, bias, eps: 0.1 }).tolist();
    expect(F.layerNorm(input, [3], weight, bias, 0.1).tolist()).to.deep.equal(expected);
    expect(F.layerNorm(input, [3], weight, { bias, eps: 0.1 }).tolist()).to.deep.equal(expected);
    expect(F.layerNorm(input, [3], weight, undefined, { eps: 0.1 }).tolist()).not.to.deep.equal(expected);
  });

  it('may be required, and given by name', () => {
    const input = ones(1, 1, 4);
    expect(F.maxPool1d(input, { kernelSize: 2 }).shape).to.deep.equal([1, 1, 2]);
    expect(() => F.maxPool1d(input, {} as { kernelSize: number })).to.throw(/kernelSize must be given/);
  });

  it('are refused when there are too many, or one has an unknown name', () => {
    const input = ones(2);
    const wrong = { beta: 1, sizeAverage: true };
    expect(() => F.smoothL1Loss(input, input, wrong)).to.throw(/no option 'sizeAverage'.*reduction, beta/);
    const call = F.smoothL1Loss as (...args: unknown[]) => unknown;
    expect(() => call(input, input, 'mean', 1, 2)).to.throw(/at most 2 arguments \(reduction, beta\), got 3/);
  });
});

describe('nn.functional', () => {
  it('gives indices of pooled maxima when asked, and puts the maxima back', () => {
    const input = tensor([[[1, 5, 2, 3]]]).to('float32');
    const [output, indices] = F.maxPool1d(input, 2, { returnIndices: true });
    expect(indices.tolist()).to.deep.equal([[[1, 3]]]);
    expect(F.maxUnpool1d(output, indices, 2).tolist()).to.deep.equal([[[0, 5, 0, 3]]]);
    expect(() => F.maxUnpool1d(output, indices, 2, { outputSize: [9] })).to.throw(/outputSize \[9\] does not fit/);
  });

  it('works in place where asked', () => {
    const input = tensor([-1, 1]).to('float32');
    expect(F.leakyRelu(input, 0.5, { inplace: true })).to.equal(input);
    expect(input.tolist()).to.deep.equal([-0.5, 1]);
  });

  it('keeps the sizes that an adaptive pooling leaves open', () => {
    expect(F.adaptiveAvgPool2d(ones(1, 1, 5, 4), [null, 2]).shape).to.deep.equal([1, 1, 5, 2]);
  });

  it('refuses what Python refuses', () => {
    const batch = ones(1, 2);
    expect(() => F.batchNorm(batch, null, null, { training: true })).to.throw(/more than one value per channel/);
    expect(() => F.interpolate(ones(1, 1, 2), { size: 3, scaleFactor: 2 })).to.throw(/exactly one of size and/);
    expect(() => F.interpolate(ones(1, 1, 2), { size: 3, mode: 'bilinear' })).to.throw(/no mode 'bilinear'/);
    expect(() => F.gaussianNllLoss(batch, batch, -1)).to.throw(/negative/);
  });

  it('are refused where they are calculated with and are no numbers', () => {
    const size = [[3]] as unknown as number;
    expect(() => F.localResponseNorm(ones(1, 3, 2), size)).to.throw(
      /size must be a whole number above 0, got \[\[3\]\]/,
    );
    const sizes = [2n] as unknown as number[];
    expect(() => F.maxUnpool1d(ones(1, 1, 2), ones(1, 1, 2).long(), sizes)).to.throw(/an array of numbers, got \[2n\]/);
  });
});
