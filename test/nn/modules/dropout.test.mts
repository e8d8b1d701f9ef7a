import { combine, expectAsInPython, type Case } from './cases.mjs';

const [line, image, volume] = [
  [2, 3, 4],
  [2, 3, 4, 5],
  [2, 3, 2, 3, 2],
];
const shapes: [Case['module'], number[][]][] = [
  ['Dropout', [[7], line, volume]],
  ['Dropout1d', [[3, 4], line]],
  ['Dropout2d', [line, image, volume]],
  ['Dropout3d', [image, volume, line]],
  ['AlphaDropout', [[2, 3], line]],
  ['FeatureAlphaDropout', [[2, 3], line, image]],
];

describe('dropouts', () => {
  it('draw and scale as in Python', function () {
    const cases = shapes.flatMap(([module, given]) =>
      [0, 0.3, 0.5, 1].flatMap((p) => combine(module, [p], [{}, { inplace: true }], given, { steps: 2 })),
    );
    expectAsInPython(this, cases);
  });

  it('refuse what Python refuses', function () {
    expectAsInPython(this, [
      ...shapes.flatMap(([module]) => [-0.1, 1.1].flatMap((p) => combine(module, [p], [{}], [line]))),
      ...combine('Dropout1d', [0.5], [{}], [[2], image]),
      ...combine('FeatureAlphaDropout', [0.5], [{}], [[2]]),
    ]);
  });
});
