import { combine, expectAsInPython, type Case } from './cases.mjs';

const shapes = [[], [7], [2, 3, 4]];
const inplace = [{}, { inplace: true }];

describe('activations', () => {
  it('compute as in Python', function () {
    const plain: Case['module'][] = ['Sigmoid', 'Tanh', 'LogSigmoid', 'Softsign', 'Tanhshrink'];
    const ones: Case['module'][] = ['ReLU', 'ReLU6', 'Hardsigmoid', 'Hardswish', 'SiLU', 'Mish', 'SELU'];
    const alphas = [...inplace, { alpha: 0.25 }, { alpha: 2.5, inplace: true }];
    expectAsInPython(this, [
      ...plain.flatMap((module) => combine(module, [], [{}], shapes)),
      ...ones.flatMap((module) => combine(module, [], inplace, shapes)),
      ...combine('ELU', [], alphas, shapes),
      ...combine('CELU', [], alphas, shapes),
      ...combine('LeakyReLU', [], [...inplace, { negativeSlope: 0.5 }, { negativeSlope: 2, inplace: true }], shapes),
      ...combine('RReLU', [], [...inplace, { lower: 0.25, upper: 0.5 }, { lower: 0.25, inplace: true }], shapes),
      ...combine('Hardtanh', [], [...inplace, { minVal: -0.5, maxVal: 0.25 }, { minVal: 0, inplace: true }], shapes),
      ...combine('Threshold', [0.25, 20], inplace, shapes),
      ...combine('GELU', [], [{}, { approximate: 'tanh' }], shapes),
      ...combine('Hardshrink', [], [{}, { lambd: 0.25 }], shapes),
      ...combine('Softshrink', [], [{}, { lambd: 0.25 }], shapes),
      ...combine('Softplus', [], [{}, { beta: 2 }, { beta: 2, threshold: 0.5 }], shapes),
    ]);
  });

  it('along a dimension compute as in Python', function () {
    const along: Case['module'][] = ['Softmax', 'Softmin', 'LogSoftmax'];
    expectAsInPython(this, [
      ...along.flatMap((module) => [[], [3], [2, 3], [2, 3, 4], [2, 3, 4, 5]].map((shape) => one(module, [], shape))),
      ...along.flatMap((module) => [0, 1, -2].map((dim) => one(module, [dim], [2, 3, 4]))),
      ...[
        [3, 4, 5],
        [2, 3, 4, 5],
      ].map((shape) => one('Softmax2d', [], shape)),
      ...[[4], [2, 4], [2, 4, 3]].map((shape) =>
        one(
          'GLU',
          [],
          shape.map((size) => size * 2),
        ),
      ),
      one('GLU', [0], [4, 3]),
      one('GLU', [1], [3, 4, 2]),
      ...combine('PReLU', [], [{}, { init: 0.5 }], [[], [5], [2, 3], [2, 3, 4]], { steps: 2 }),
      ...combine('PReLU', [], [{ numParameters: 3 }], [[3], [2, 3], [2, 3, 4]], { steps: 2 }),
    ]);
  });

  it('refuse what Python refuses', function () {
    expectAsInPython(this, [
      ...combine('Hardtanh', [], [{ minVal: 2 }, { minVal: 1 }, { maxVal: -1 }], [[3]]),
      ...combine('CELU', [], [{ alpha: 0 }], [[3]]),
      ...combine('Softshrink', [], [{ lambd: -1 }], [[3]]),
      ...combine('GELU', [], [{ approximate: 'exp' }], [[3]]),
      ...combine('PReLU', [], [{ numParameters: 2 }], [[2, 3], [3]]),
      ...combine('PReLU', [], [{ numParameters: -2 }], [[2, 3]]),
      ...[[3], [2, 3], [1, 2, 3, 4, 5]].map((shape) => one('Softmax2d', [], shape)),
      ...[[], [3]].map((shape) => one('GLU', [], shape)),
      one('Softmax', [2], [2, 3]),
    ]);
  });
});

function one(module: Case['module'], args: unknown[], shape: number[]): Case {
  return { module, args, inputs: [shape] };
}
