import { AiforgeError, autograd, checkpoint, grad, ones, tensor, type Tensor } from 'aiforge';
import { expect } from 'chai';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const { detectAnomaly, isAnomalyEnabled, setDetectAnomaly } = autograd;
// Its source where Node maps stacks, else its compiled form.
const file = new Error().stack!.includes('anomaly.test.mts')
  ? path.resolve('test/autograd/anomaly.test.mts')
  : fileURLToPath(import.meta.url);
const leaf = (...values: number[]) => tensor(values, { dtype: 'float64', requiresGrad: true });

type Annotated = Error & { forwardStack?: string };

function caught(body: () => unknown): Annotated {
  try {
    body();
  } catch (error) {
    return error as Annotated;
  }
  throw new Error('nothing was thrown');
}

/** The line of the test file on which the first frame of a stack is. */
const lineOf = (stack: string | undefined) => Number(new RegExp(`${file}:(\\d+)`).exec(stack ?? '')?.[1]);
const here = () => lineOf(new Error().stack!.split('\n')[2]);

describe('anomaly mode', () => {
  it('names the function that made NaN, and where the forward pass made it', () => {
    let line = 0;
    const error = caught(() =>
      detectAnomaly(() => {
        const x = leaf(-1);
        line = here() + 1;
        const y = x.sqrt();
        y.sum().backward();
      }),
    );
    expect(error).to.be.instanceOf(AiforgeError);
    expect(error.message).to.include("Function 'SqrtBackward0' returned nan values in its 0th output.");
    expect(lineOf(error.forwardStack)).to.equal(line);
    expect(error.message).to.include(`${file}:${line}`);
    expect(error.forwardStack!.split('\n')[0]).to.include(file);
  });

  it('does so for every failure, such as a change in place', () => {
    let line = 0;
    const error = caught(() =>
      detectAnomaly(() => {
        const y = leaf(1).mul(1);
        line = here() + 1;
        const z = y.exp().mul(y);
        y.add_(1);
        z.sum().backward();
      }),
    );
    expect(error.message).to.match(/modified by an inplace operation/);
    expect(lineOf(error.forwardStack)).to.equal(line);
  });

  it('leaves the errors of hooks themselves, with the stack beside', () => {
    const mine = new RangeError('mine');
    let line = 0;
    const error = caught(() =>
      detectAnomaly(() => {
        line = here() + 1;
        const y = leaf(1).exp();
        y.registerHook(() => {
          throw mine;
        });
        y.sum().backward();
      }),
    );
    expect(error).to.equal(mine);
    expect(error.message).to.equal('mine');
    expect(lineOf(error.forwardStack)).to.equal(line);
  });

  it('finds the forward call of a Function, and of the pass that made a node', () => {
    class Broken extends autograd.Function {
      static forward(_ctx: autograd.FunctionContext, x: Tensor): Tensor {
        return x.mul(2);
      }
      static backward(_ctx: autograd.FunctionContext, g: Tensor): Tensor {
        return g.mul(NaN);
      }
    }
    let line = 0;
    const error = caught(() =>
      detectAnomaly(() => {
        const x = leaf(1);
        line = here() + 1;
        const y = Broken.apply(x);
        y.backward();
      }),
    );
    expect(error.message).to.include("Function 'BrokenBackward' returned nan values");
    expect(lineOf(error.forwardStack)).to.equal(line);
    const second = caught(() =>
      detectAnomaly(() => {
        const x = leaf(0);
        line = here() + 1;
        const y = x.pow(1.5);
        const first = grad(y.sum(), x, { createGraph: true })[0]!;
        grad(first.sum(), x, { createGraph: true })[0]!.mul(0).sum().backward();
      }),
    );
    expect(second.message).to.match(/returned nan values/);
    expect(second.forwardStack).to.include('in the backward pass of what was made here').and.include(`${file}:${line}`);
  });

  it('checks NaN unless told not to, and nothing outside of its body', () => {
    const x = leaf(-1);
    const nan = () => x.sqrt().sum().backward();
    detectAnomaly(nan, { checkNan: false });
    nan();
    expect(() => detectAnomaly(() => detectAnomaly(nan, { checkNan: false }))).not.to.throw();
    expect(() => detectAnomaly(nan)).to.throw(/nan values/);
    const error = caught(() => ones([2], { requiresGrad: true }).mul(2).backward());
    expect(error).not.to.have.property('forwardStack');
  });

  it('follows await, and backwardAsync', async () => {
    let line = 0;
    const failing = detectAnomaly(async () => {
      await delay(1);
      const x = leaf(-1);
      const y = x.log();
      line = here() + 1;
      await y.sqrt().sum().backwardAsync();
    });
    expect(isAnomalyEnabled()).to.equal(true);
    const error: Annotated = await failing.then(
      () => new Error('nothing was thrown'),
      (reason: Annotated) => reason,
    );
    expect(isAnomalyEnabled()).to.equal(false);
    expect(error.message).to.match(/returned nan values/);
    expect(lineOf(error.forwardStack)).to.equal(line);
  });

  it('can be switched', () => {
    setDetectAnomaly(true);
    try {
      expect(isAnomalyEnabled()).to.equal(true);
      expect(() => leaf(-1).sqrt().sum().backward()).to.throw(/nan values/);
      setDetectAnomaly(true, { checkNan: false });
      expect(() => leaf(-1).sqrt().sum().backward()).not.to.throw();
    } finally {
      setDetectAnomaly(false);
    }
    expect(() => leaf(-1).sqrt().sum().backward()).not.to.throw();
  });

  it('works with checkpoint', () => {
    const error = caught(() =>
      detectAnomaly(() =>
        checkpoint((t: Tensor) => t.sqrt().mul(2), leaf(-1))
          .sum()
          .backward(),
      ),
    );
    expect(error.message).to.match(/SqrtBackward0' returned nan values/);
    expect(error.forwardStack).to.include(file);
  });
});
