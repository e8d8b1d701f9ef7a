import { randint, tensor } from 'aiforge';
import { expect } from 'chai';

import { ClassCounts } from '#lib/core/training/measuring/classCounts.js';

describe('counting classes', () => {
  for (const classes of [2, 3, 100, 101, 1000]) {
    it(`gives the scores of ${classes} classes`, () => {
      const counts = new ClassCounts();
      const tables = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
      for (let batch = 0; batch < 3; batch++) {
        const actual = randint(0, classes, [64]);
        const predicted = randint(0, classes, [64]).where(randint(0, 2, [64]).eq(0), actual);
        const logits = tensor(0).expand(64, classes).to('float32').scatter(1, predicted.unsqueeze(1), 1);
        counts.add(logits, actual);
        const pairs = [actual.tolist<number[]>(), predicted.tolist<number[]>()];
        pairs[0]!.forEach((row, i) => ++tables[row]![pairs[1]![i]!]!);
      }
      const right = tables.reduce((sum, row, c) => sum + row[c]!, 0);
      const f1 = tables.map((row, c) => {
        const both = row.reduce((a, b) => a + b, 0) + tables.reduce((sum, other) => sum + other[c]!, 0);
        return both === 0 ? 0 : (2 * row[c]!) / both;
      });
      const scores = counts.scores()!;
      expect(scores.accuracy).to.equal(right / 192);
      expect(counts.accuracy).to.equal(right / 192);
      expect(scores.f1).to.be.closeTo(classes === 2 ? f1[1]! : f1.reduce((a, b) => a + b) / classes, 1e-12);
      expect(scores.confusion).to.deep.equal(classes > 100 ? undefined : tables);
    });
  }

  it('keeps as many numbers as there are classes, not their square', () => {
    const counts = new ClassCounts();
    counts.add(tensor(0).expand(4, 50_000).to('float32'), tensor([0, 1, 49_999, -100]));
    expect(counts.values()).to.have.length(150_000);
    expect(counts.scores()!.accuracy).to.be.closeTo(1 / 3, 1e-12);
  });
});
