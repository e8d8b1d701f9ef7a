import { expectAsInPython } from './cases.mjs';

const pair = (...shape: number[]): number[][] => [shape, shape];

describe('distances', () => {
  it('compute as in Python', function () {
    const norms = [{}, { p: 1 }, { p: 3.5, keepdim: true }, { eps: 0.25 }, { p: -1 }, { p: 0 }];
    const angles = [{}, { dim: 0 }, { dim: -1, eps: 0.5 }];
    expectAsInPython(this, [
      ...norms.flatMap((options) => [
        { module: 'PairwiseDistance' as const, options, inputs: pair(3, 4) },
        { module: 'PairwiseDistance' as const, options, inputs: pair(4) },
        { module: 'PairwiseDistance' as const, options, inputs: [[2, 3, 4], [4]] },
      ]),
      ...angles.flatMap((options) => [
        { module: 'CosineSimilarity' as const, options, inputs: pair(3, 4) },
        {
          module: 'CosineSimilarity' as const,
          options,
          inputs: [
            [2, 3, 4],
            [3, 4],
          ],
        },
      ]),
      { module: 'CosineSimilarity', inputs: pair(3) },
      {
        module: 'PairwiseDistance',
        inputs: [
          [2, 3],
          [2, 4],
        ],
      },
    ]);
  });
});
