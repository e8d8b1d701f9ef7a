import { z } from 'zod';

import { count, kind as kindOf, oneOf } from '../../kinds.js';
import { signature } from '../../signature.js';
import { cat, searchsorted, tensor, type Tensor } from '../../tensor/index.js';
import { refusal, type Frame } from '../tables/frame.js';
import { SameFormPreprocessor } from '../tables/sameFormPreprocessor.js';
import type { Plain } from '../tables/tablePreprocessor.js';
import { ColumnQuantiles } from './columnQuantiles.js';
import { Extremes } from './extremes.js';
import { learntNumbers, rowOf } from './matrix.js';
import { EXACT, type QuantileMethod } from './quantiles.js';

export interface KBinsDiscretizerOptions {
  /** Bins of each column, 2 or more; default 5. */
  nBins?: number;
  /** A column of 0 and 1 for each bin, or one with the bin's number; default 'onehot-dense'. */
  encode?: 'onehot-dense' | 'ordinal';
  /** Bins of as many numbers each, or of one width; default 'quantile'. */
  strategy?: 'quantile' | 'uniform';
  /** How an edge is made of the two numbers between which it lies; default 'averaged_inverted_cdf'. */
  quantileMethod?: QuantileMethod;
  /** Up to how many rows the quantiles are exact, 8 bytes each and column; beyond, a sketch. Default 1,000,000. */
  exactRows?: number;
}

const takes = signature<KBinsDiscretizerOptions>(
  {},
  {
    nBins: kindOf<number>('a whole number, 2 or more', (value) => Number.isSafeInteger(value) && Number(value) >= 2),
    encode: oneOf('onehot-dense', 'ordinal'),
    strategy: oneOf('quantile', 'uniform'),
    quantileMethod: oneOf('linear', 'averaged_inverted_cdf', 'inverted_cdf'),
    exactRows: count,
  },
);

const schema = z.strictObject({
  edges: z.array(z.array(z.number())),
});
type Learnt = z.infer<typeof schema>;

/** Narrower bins are none, as in scikit-learn. */
const NARROW = 1e-8;

/**
 * Puts numbers into bins, whose edges are learnt column by column; the first and the last bin have what lies beyond. A column that is
 * constant has one bin. Beyond `exactRows` an edge of 'quantile' is off by `n · log2(n / 32,768) / 65,536` ranks of n at most. As
 * `sklearn.preprocessing.KBinsDiscretizer`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { KBinsDiscretizer } from 'aiforge/preprocessing';
 * const bins = new KBinsDiscretizer({ nBins: 3, encode: 'ordinal', strategy: 'uniform' });
 * bins.fit({ age: tensor([0, 30, 90]) });
 * bins.transform({ age: 45 }).age; // 1
 */
export class KBinsDiscretizer extends SameFormPreprocessor<Learnt> {
  protected override readonly kind = 'KBinsDiscretizer';
  protected override readonly options: Required<KBinsDiscretizerOptions> & Record<string, Plain>;
  protected override readonly schema = schema;
  #extremes = new Extremes();
  #quantiles: ColumnQuantiles;

  constructor(options: KBinsDiscretizerOptions = {}) {
    takes.check('KBinsDiscretizer', arguments);
    super();
    const {
      nBins = 5,
      encode = 'onehot-dense',
      strategy = 'quantile',
      quantileMethod = 'averaged_inverted_cdf',
      exactRows = EXACT,
    } = options;
    this.options = { nBins, encode, strategy, quantileMethod, exactRows };
    this.#quantiles = new ColumnQuantiles(exactRows);
  }

  protected override begin(): void {
    this.#extremes = new Extremes();
    this.#quantiles = new ColumnQuantiles(this.options.exactRows);
  }

  protected override learn(frame: Frame): void {
    const matrix = this.#complete(`${this.kind}.fit`, frame, learntNumbers(this.kind, frame));
    this.#extremes.add(matrix);
    if (this.options.strategy === 'quantile') this.#quantiles.add(matrix);
  }

  protected override conclude(names: readonly string[]): Learnt {
    const { least, largest } = this.#extremes;
    if (least.length === 0)
      throw refusal(`${this.kind}.fit`, 'there is nothing to learn from: the batches have no rows');
    return { edges: names.map((_, i) => this.#edges(i, least[i]!, largest[i]!)) };
  }

  protected override problemOf({ edges }: Learnt, names: readonly string[]): string | undefined {
    if (edges.length !== names.length) return `learnt.edges has ${edges.length} items for ${names.length} columns`;
    const isRising = edges.every(
      (each) => each.length >= 2 && each.every((edge, i) => i === 0 || edge >= each[i - 1]!),
    );
    return isRising ? undefined : 'the edges of each column must be two or more that rise';
  }

  protected override namesOut(names: readonly string[], { edges }: Learnt): readonly string[] {
    if (this.options.encode === 'ordinal') return names;
    return names.flatMap((name, i) => edges[i]!.slice(1).map((_, bin) => `${name}_${bin}`));
  }

  protected override applied(frame: Frame, learnt: Learnt): Frame {
    const matrix = this.#complete(`${this.kind}.transform`, frame, frame.numbers(this.kind));
    const bins = matrix.unbind(1).map((column, i) => {
      const inner = learnt.edges[i]!.slice(1, -1);
      return searchsorted(rowOf(inner), column.contiguous(), { right: true });
    });
    const names = this.namesOut(frame.names, learnt);
    if (this.options.encode === 'ordinal') return frame.with(names, bins.map((each) => each.to('float64'))); // prettier-ignore
    const blocks = bins.map((each, i) => {
      const all = tensor(learnt.edges[i]!.slice(1).map((_, bin) => bin), { dtype: 'int64' }); // prettier-ignore
      return each.unsqueeze(1).eq(all).to('float32');
    });
    return frame.with(names, cat(blocks, 1).unbind(1));
  }

  /** The middle of each bin. */
  protected override undone(frame: Frame, { edges }: Learnt): Frame {
    const matrix = frame.numbers(this.kind);
    let at = 0;
    const columns = edges.map((each, i) => {
      const width = this.options.encode === 'ordinal' ? 1 : each.length - 1;
      const block = matrix.narrow(1, at, width);
      at += width;
      const bins = this.options.encode === 'ordinal' ? block.squeeze(1).to('int64') : block.argmax(1);
      if (
        bins
          .lt(0)
          .logicalOr(bins.ge(each.length - 1))
          .any()
          .item()
      ) {
        throw refusal(`${this.kind}.inverseTransform`, `'${this.columns()[i]!}' has bins from 0 to ${each.length - 2}`);
      }
      return rowOf(each.slice(1).map((edge, bin) => (edge + each[bin]!) * 0.5)).indexSelect(0, bins);
    });
    return frame.with(this.columns(), columns);
  }

  #complete(who: string, frame: Frame, matrix: Tensor): Tensor {
    const isMissing = matrix.isnan().any(0);
    if (!isMissing.any().item()) return matrix;
    const name = frame.names[Number(isMissing.to('int64').argmax().item())]!;
    throw refusal(who, `the column '${name}' has NaN, which is in no bin: put a SimpleImputer before`);
  }

  #edges(column: number, least: number, largest: number): number[] {
    const { nBins, strategy, quantileMethod } = this.options;
    if (least === largest) return [least, largest];
    const places = Array.from({ length: nBins + 1 }, (_, i) => i);
    if (strategy === 'uniform') {
      const step = (largest - least) / nBins;
      return places.map((i) => (i === nBins ? largest : least + i * step));
    }
    const fractions = places.map((i) => (i === nBins ? 1 : (i * (100 / nBins)) / 100));
    const inner = this.#quantiles.columns[column]!.at(fractions.slice(1, -1), quantileMethod);
    // A sketch may have lost the ends.
    const edges = [least, ...inner, largest];
    return edges.filter((edge, i) => i === 0 || edge - edges[i - 1]! > NARROW);
  }
}
