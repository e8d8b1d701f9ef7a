import { z } from 'zod';

import { boolean, count } from '../../kinds.js';
import { signature } from '../../signature.js';
import { fromTypedArray, zeros, type Tensor } from '../../tensor/index.js';
import { refusal, type Column, type Frame } from '../tables/frame.js';
import { SameFormPreprocessor } from '../tables/sameFormPreprocessor.js';
import { murmurHash3 } from './murmurHash.js';

export interface FeatureHasherOptions {
  /** How many columns it gives. */
  nFeatures: number;
  /** Whether the hash says the sign too, so that values that meet cancel out on average; default true. */
  alternateSign?: boolean;
}

const takes = signature<FeatureHasherOptions>({}, { nFeatures: count, alternateSign: boolean }, ['nFeatures']);

const schema = z.strictObject({});
type Learnt = z.infer<typeof schema>;

/** Places and signs of texts that were seen before are kept, so many of them. */
const REMEMBERED = 100_000;

/**
 * Hashes columns into `nFeatures` float64 columns `hashed_0`, …: a string adds 1 at the place of `column=value`, a number its value at the
 * place of its column's name. It needs no fit and cannot be inverted. The places are those of `sklearn.feature_extraction.FeatureHasher`
 * with dicts, by MurmurHash3; what it gives is dense, so `nFeatures` has no default.
 *
 * @example
 * import { FeatureHasher } from 'aiforge/preprocessing';
 * const hasher = new FeatureHasher({ nFeatures: 8 });
 * const { city } = { city: ['Oslo', 'Rome', 'Oslo'] };
 * Object.keys(hasher.transform({ city })).length; // 8
 */
export class FeatureHasher extends SameFormPreprocessor<Learnt> {
  protected override readonly kind = 'FeatureHasher';
  protected override readonly options: { nFeatures: number; alternateSign: boolean };
  protected override readonly schema = schema;
  readonly #places = new Map<string, [place: number, sign: number]>();

  constructor(options: FeatureHasherOptions) {
    takes.check('FeatureHasher', arguments);
    super();
    const { nFeatures, alternateSign = true } = options;
    this.options = { nFeatures, alternateSign };
  }

  override featureNames(): string[] {
    return Array.from({ length: this.options.nFeatures }, (_, place) => `hashed_${place}`);
  }

  protected override isFree(): boolean {
    return true;
  }

  protected override begin(): void {
    // It learns nothing.
  }

  protected override learn(): void {
    // It learns nothing.
  }

  protected override conclude(): Learnt {
    return {};
  }

  protected override learnt(): Learnt {
    return {};
  }

  protected override namesOut(): readonly string[] {
    return this.featureNames();
  }

  protected override applied(frame: Frame): Frame {
    const result = zeros([frame.rows, this.options.nFeatures], { dtype: 'float64' });
    frame.columns.forEach((column, i) => this.#add(result, frame.names[i]!, column));
    return frame.with(this.featureNames(), result.unbind(1));
  }

  protected override undone(): Frame {
    throw refusal(`${this.kind}.inverseTransform`, 'what was hashed cannot be had back');
  }

  #add(result: Tensor, name: string, column: Column): void {
    if (!Array.isArray(column)) {
      const [place, sign] = this.#place(name);
      result.select(1, place).add_(column.to('float64').mul(sign));
      return;
    }
    const places = new Int32Array(column.length);
    const signs = new Float64Array(column.length);
    column.forEach((value, row) => {
      const [place, sign] = this.#place(`${name}=${value}`);
      places[row] = place;
      signs[row] = sign;
    });
    const [at, values] = [fromTypedArray(places).to('int64'), fromTypedArray(signs)];
    result.scatterAdd_(1, at.unsqueeze(1), values.unsqueeze(1));
  }

  #place(text: string): [place: number, sign: number] {
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    const { nFeatures, alternateSign } = this.options;
    const hash = murmurHash3(text);
    // In scikit-learn the least hash, whose size 32 bits do not hold, has a place of its own.
    const place = hash === -(2 ** 31) ? (2 ** 31 - 1 - (nFeatures - 1)) % nFeatures : Math.abs(hash) % nFeatures;
    const found: [number, number] = [place, alternateSign && hash < 0 ? -1 : 1];
    if (this.#places.size < REMEMBERED) this.#places.set(text, found);
    return found;
  }
}
