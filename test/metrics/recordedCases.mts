import { expect } from 'chai';
import { tensor, type Tensor } from 'aiforge';
import { reference } from '../support/reference.mjs';

/** What Python's torchmetrics gives for batches. */
export interface Case {
  batches: unknown[][];
  value: unknown;
}

interface AnyMetric {
  update(...batch: never[]): void;
  compute(): unknown;
  forward(...batch: never[]): unknown;
}

const toTensor = (value: unknown): unknown =>
  Array.isArray(value) ? tensor(value as number[], { dtype: 'float64' }) : value;

const plain = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  if ('tolist' in value) return plain((value as Tensor).tolist());
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
};

/** Equal but for rounding: numbers differ by at most a part in `1 / tolerance`. */
function expectClose(got: unknown, expected: unknown, tolerance: number, at = 'value'): void {
  if (typeof expected === 'number' && Number.isFinite(expected)) {
    expect(got, at).to.be.a('number');
    expect(Math.abs((got as number) - expected), `${at}: ${String(got)} for ${expected}`).to.be.at.most(
      tolerance * Math.max(1, Math.abs(expected)),
    );
  } else if (typeof expected === 'object' && expected !== null) {
    expect(Object.keys(got as object), at).to.deep.equal(Object.keys(expected));
    for (const [key, item] of Object.entries(expected))
      expectClose((got as Record<string, unknown>)[key], item, tolerance, `${at}.${key}`);
  } else {
    // JSON has no NaN; scripts write null for it.
    expect(got === null || Number.isNaN(got) ? null : got, at).to.equal(expected);
  }
}

/**
 * One test a metric: its batches go through it one after the other, and in one `forward`, and the values are Python's. Batches
 * in `script`'s cases are nested lists, and `prepare` makes of each item what the metric takes.
 */
export function likeTorchmetrics(
  script: string,
  metrics: Record<string, () => AnyMetric>,
  { tolerance = 1e-9, prepare = toTensor }: { tolerance?: number; prepare?: (item: unknown) => unknown } = {},
): void {
  let cases: Record<string, Case> = {};
  before(function () {
    cases = JSON.parse(reference(this, script)) as Record<string, Case>;
  });

  it('there is a test of each case of Python’s', () => {
    expect(Object.keys(metrics).sort()).to.deep.equal(Object.keys(cases).sort());
  });

  for (const [name, make] of Object.entries(metrics)) {
    it(name, () => {
      const { batches, value } = cases[name]!;
      const metric = make();
      for (const batch of batches) metric.update(...(batch.map(prepare) as never[]));
      expectClose(plain(metric.compute()), value, tolerance);
      // A batch of its own leaves the value of all as it is, but for the batch.
      const one = make();
      for (const batch of batches) one.forward(...(batch.map(prepare) as never[]));
      expectClose(plain(one.compute()), value, tolerance);
    });
  }
}
