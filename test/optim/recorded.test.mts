import { matmul, scope, stack, type Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import * as optim from 'aiforge/optim';
import { expect } from 'chai';

import { exact, fromExact, type Exact } from '../support/exact.mjs';
import { expectExact, expectRecorded, recorded } from '../support/recorded.mjs';
import { camelKeys } from '../nn/reference.mjs';

interface Result {
  losses: Exact;
  final: Exact[];
  state: Record<string, Exact>[];
}

interface Case extends Result {
  optimizer: 'SGD' | 'Adam' | 'AdamW';
  options: Record<string, unknown>;
  fused: Result;
}

interface Recording {
  x: Exact;
  y: Exact;
  initial: Exact[];
  cases: Case[];
}

const STEPS = 20;

function optimize({ x, y, initial }: Recording, name: Case['optimizer'], options: object): Result {
  const [inputs, targets] = [fromExact(x), fromExact(y)];
  const parameters: Tensor[] = initial.map((value) => new nn.Parameter(fromExact(value)));
  const [w, b, s] = parameters as [Tensor, Tensor, Tensor];
  const optimizer = new optim[name](parameters, options);
  const losses = Array.from({ length: STEPS }, () =>
    scope(() => {
      optimizer.zeroGrad();
      const loss = matmul(inputs, w).add(b).mul(s).sub(targets).square().mean();
      loss.backward();
      optimizer.step();
      return loss.detach();
    }),
  );
  const state = parameters.map((parameter) => optimizer.state.get(parameter) ?? {});
  return {
    losses: exact(stack(losses)),
    final: parameters.map(exact),
    state: state.map((own) =>
      Object.fromEntries(Object.entries(own).map(([key, value]) => [key, exact(value as Tensor)])),
    ),
  };
}

describe('optim against PyTorch', () => {
  const recording = recorded<Recording>('optim');

  for (const { optimizer, options, fused, losses, final, state } of recording.cases) {
    const title = `${optimizer} ${JSON.stringify(options)}`;
    it(title, () => {
      expectRecorded(optimize(recording, optimizer, camelKeys(options)), { losses, final, state }, title);
    });
    it(`${title}, fused`, () => {
      expectRecorded(optimize(recording, optimizer, { ...camelKeys(options), fused: true }), fused, title);
    });
  }

  it('gives the same when the momentum of one parameter begins later', () => {
    const { x, initial } = recording;
    const w = new nn.Parameter(fromExact(initial[0]!));
    const b = new nn.Parameter(fromExact(initial[1]!));
    const optimizer = new optim.SGD([w, b], { lr: 0.1, momentum: 0.5 });
    const step = (useBias: boolean): void =>
      scope(() => {
        optimizer.zeroGrad();
        const y = matmul(fromExact(x), w);
        (useBias ? y.add(b) : y).sum().backward();
        optimizer.step();
      });
    step(false);
    expect(optimizer.state.get(b)).to.equal(undefined);
    expectExact(b, initial[1]!, 'a parameter without gradient');
    step(true);
    step(true);
    const start = Float32Array.from(fromExact(initial[1]!).tolist<number[]>());
    // The gradient of each bias is 8: 0.1 * 8, then 0.1 * (0.5 * 8 + 8).
    const expected = Array.from(start, (value) => value - 0.8 - 1.2);
    b.tolist<number[]>().forEach((value, i) => expect(value).to.be.closeTo(expected[i]!, 1e-6));
  });
});
