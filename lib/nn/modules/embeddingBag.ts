import { boolean, number, whole, size, oneOf, orNull, type Kinds } from '../../kinds.js';
import { signature, nothing } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkPaddingIdx } from '../checks.js';
import { named, type Rest } from '../functional/arguments.js';
import { embeddingBag, type EmbeddingBagOptions } from '../functional/embeddingBag.js';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { noteMembers } from '../members/registry.js';
import { pythonBoolean, pythonFloat } from '../printing/printing.js';
import { resetTable, sizesOfVectors, tableOf } from './embedding.js';
import { factoryOptions, type FactoryOptions } from './linear.js';
import { tensorKind } from '../../tensor/kinds.js';

/** What bags there are, for `EmbeddingBag.forward`. */
export type BagsOptions = Pick<EmbeddingBagOptions, 'offsets' | 'perSampleWeights'>;

type TableOptions = Omit<EmbeddingBagOptions, keyof BagsOptions>;

const tableOptions: Kinds<TableOptions> = {
  maxNorm: orNull(number),
  normType: number,
  scaleGradByFreq: boolean,
  mode: oneOf('sum', 'mean', 'max'),
  sparse: boolean,
  includeLastOffset: boolean,
  paddingIdx: orNull(whole),
};

export interface EmbeddingBagLayerOptions extends TableOptions, FactoryOptions {
  /** @internal The vectors themselves, [numEmbeddings, embeddingDim], instead of random ones. */
  _weight?: Tensor | null;
}

const embeddingBagOptions: Kinds<EmbeddingBagLayerOptions> = {
  ...tableOptions,
  _weight: orNull(tensorKind),
  ...factoryOptions,
};

export interface PretrainedEmbeddingBagOptions extends TableOptions {
  /** Whether the vectors do not learn. Default: true. */
  freeze?: boolean;
}

const fromPretrainedTakes = signature<PretrainedEmbeddingBagOptions>(
  { vectors: tensorKind },
  { freeze: boolean, ...tableOptions },
);

const embeddingBagTakes = signature({ numEmbeddings: size, embeddingDim: size }, embeddingBagOptions);

/**
 * Sums, means or maxima of bags of learnt vectors, without the vectors of a bag ever existing at once. An input of row
 * numbers [bags, length], or [indices] with `offsets` [bags], gives [bags, embeddingDim]; an empty bag gives zeros. The
 * vectors are drawn from the standard normal distribution; the row `paddingIdx` is zero and counts for nothing. As
 * `torch.nn.EmbeddingBag`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for sizes that are no whole numbers and a `paddingIdx` that is no row, and from
 * forward for shapes and modes that do not go together.
 * @example
 * import { nn, tensor } from 'aiforge';
 * const bags = new nn.EmbeddingBag(10, 3, { mode: 'sum' });
 * bags.forward(tensor([1, 2, 4, 5, 4]), tensor([0, 2])).shape; // [2, 3]
 */
export class EmbeddingBag extends Module {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  readonly maxNorm: number | null;
  readonly normType: number;
  readonly scaleGradByFreq: boolean;
  readonly mode: 'sum' | 'mean' | 'max';
  readonly sparse: boolean;
  readonly includeLastOffset: boolean;
  readonly paddingIdx: number | null;
  weight: Parameter;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingBagLayerOptions = {}) {
    embeddingBagTakes.check(new.target.name, arguments);
    super();
    const {
      maxNorm = null,
      normType = 2,
      scaleGradByFreq = false,
      mode = 'mean',
      sparse = false,
      includeLastOffset = false,
      paddingIdx = null,
      _weight = null,
      ...factory
    } = options;
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    this.maxNorm = maxNorm;
    this.normType = normType;
    this.scaleGradByFreq = scaleGradByFreq;
    this.mode = mode;
    this.sparse = sparse;
    this.includeLastOffset = includeLastOffset;
    this.paddingIdx = paddingIdx === null ? null : checkPaddingIdx(paddingIdx, numEmbeddings);
    this.weight = new Parameter(tableOf(numEmbeddings, embeddingDim, _weight, factory));
    if (_weight === null) this.resetParameters();
    noteMembers(this);
  }

  /**
   * Bags of given vectors, [numEmbeddings, embeddingDim], whose memory they share; they learn only with `freeze: false`. As
   * `torch.nn.EmbeddingBag.from_pretrained`.
   *
   * @example
   * import { nn, tensor } from 'aiforge';
   * nn.EmbeddingBag.fromPretrained(tensor([[1, 2.5], [3, 4.5]])).forward(tensor([[0, 1]])).tolist(); // [[2, 3.5]]
   */
  static fromPretrained(vectors: Tensor, options: PretrainedEmbeddingBagOptions = {}): EmbeddingBag {
    fromPretrainedTakes.check('fromPretrained', arguments);
    const { freeze = true, ...rest } = options;
    const bags = new EmbeddingBag(...sizesOfVectors(vectors), { ...rest, _weight: vectors });
    bags.weight.requiresGrad = !freeze;
    return bags;
  }

  resetParameters(): void {
    nothing.check('resetParameters', arguments);
    resetTable(this.weight, this.paddingIdx);
  }

  override forward(input: Tensor, ...rest: Rest<BagsOptions, ['offsets', 'perSampleWeights']>): Tensor {
    const bags = named<BagsOptions>('EmbeddingBag.forward', rest, { offsets: null, perSampleWeights: null });
    const { weight, maxNorm, normType, scaleGradByFreq, mode, sparse, includeLastOffset, paddingIdx } = this;
    const table = { maxNorm, normType, scaleGradByFreq, mode, sparse, includeLastOffset, paddingIdx };
    return embeddingBag(input, weight, { ...table, ...bags });
  }

  override extraRepr(): string {
    const parts = [String(this.numEmbeddings), String(this.embeddingDim)];
    if (this.maxNorm !== null) parts.push(`max_norm=${pythonFloat(this.maxNorm)}`);
    if (this.normType !== 2) parts.push(`norm_type=${pythonFloat(this.normType)}`);
    if (this.scaleGradByFreq) parts.push(`scale_grad_by_freq=${pythonBoolean(true)}`);
    parts.push(`mode='${this.mode}'`);
    if (this.paddingIdx !== null) parts.push(`padding_idx=${this.paddingIdx}`);
    return parts.join(', ');
  }
}
