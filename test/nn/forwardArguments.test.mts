import { AiforgeError, nn, ones, type Tensor } from 'aiforge';
import { expect } from 'chai';

type Make = new (...args: unknown[]) => nn.Module & { forward(...args: unknown[]): unknown };

/** Arguments of the classes that a few numbers do not make. */
const made: Record<string, unknown[]> = {
  AdaptiveLogSoftmaxWithLoss: [4, 10, [5]],
  FractionalMaxPool2d: [2, { outputSize: 2 }],
  FractionalMaxPool3d: [2, { outputSize: 2 }],
  GroupNorm: [1, 2],
  LinearCrossEntropyLoss: [2, 2],
  MultiheadAttention: [2, 1],
  Transformer: [{ dModel: 2, nhead: 1, numEncoderLayers: 1, numDecoderLayers: 1 }],
  TransformerDecoder: [new nn.TransformerDecoderLayer(2, 1), 1],
  TransformerDecoderLayer: [2, 1],
  TransformerEncoder: [new nn.TransformerEncoderLayer(2, 1, { batchFirst: true }), 1],
  TransformerEncoderLayer: [2, 1],
  Unflatten: [1, [2, 2]],
};

// Bases that users extend.
const bases = ['Module', 'RNNBase', 'RNNCellBase'];

function makeOne(name: string): InstanceType<Make> {
  const Class = (nn as unknown as Record<string, Make>)[name]!;
  for (const args of [made[name] ?? [], [2], [2, 2], [2, 2, 2]]) {
    try {
      return new Class(...args);
    } catch {
      // With other arguments then.
    }
  }
  throw new Error(`${name} is not made of a few numbers: say in this test what makes it`);
}

describe('the forward of every layer and loss', () => {
  const isLayer = (value: unknown): boolean =>
    typeof value === 'function' && (value.prototype as unknown) instanceof nn.Module;
  const names = Object.entries(nn as object)
    .filter(([name, value]) => isLayer(value) && !bases.includes(name))
    .map(([name]) => name);

  it('gives an AiforgeError for what is no tensor', () => {
    expect(names.length).to.be.greaterThan(140);
    const x: Tensor = ones([2, 2]);
    const others: string[] = [];
    for (const name of names) {
      for (const args of [[], [3], [x], ['a', 3], [[1], [2], [3]], [null, x, {}]]) {
        const layer = makeOne(name);
        try {
          layer.forward(...args);
        } catch (error) {
          if (!(error instanceof AiforgeError))
            others.push(`${name}.forward(${args.map(String).join()}): ${String(error)}`);
        }
      }
    }
    expect(others).to.deep.equal([]);
  });

  it('refuses arguments after those that it takes', () => {
    const x: Tensor = ones([2, 2]);
    const accepted: string[] = [];
    for (const name of names) {
      if (['ModuleList', 'ModuleDict', 'ParameterList', 'ParameterDict'].includes(name)) continue;
      // A lazy layer is made by its first input, before it looks at the others.
      const dims = name.startsWith('Lazy') ? Number(/\d/.exec(name)?.[0] ?? 0) + 2 : 2;
      try {
        makeOne(name).forward(...Array<unknown>(6).fill(ones(Array<number>(dims).fill(2))));
        accepted.push(name);
      } catch (error) {
        const isRight = error instanceof AiforgeError && error.code === 'INVALID_ARGUMENT';
        if (!isRight || !/forward|options object/.test(error.message)) accepted.push(`${name}: ${String(error)}`);
      }
    }
    expect(accepted).to.deep.equal([]);
    expect(makeOne('ReLU').forward(x, undefined)).to.be.instanceOf(x.constructor);
    const loss = makeOne('MSELoss');
    expect(() => loss.forward(x, x, { reduction: 'sum' })).to.throw(
      "MSELoss.forward takes 2 arguments, got { reduction: 'sum' } after them; options are given to the constructor.",
    );
  });
});
