import { AiforgeError } from '../../errors.js';
import { boolean, size, orNull, type Kinds } from '../../kinds.js';
import { signature, nothing } from '../../signature.js';
import { noGrad } from '../../autograd/modes.js';
import { empty } from '../../tensor/generated/functions.js';
import { scope } from '../../tensor/memory/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkPaddingIdx, refuseSurplus } from '../checks.js';
import * as functional from '../functional.js';
import { normal_ } from '../init.js';
import { factoryOptions, type FactoryOptions } from './linear.js';
import { Module } from '../module.js';
import * as operators from '../operators.js';
import { Parameter } from '../parameter.js';
import { noteMembers } from '../members/registry.js';
import { pythonBoolean, pythonFloat } from '../printing/printing.js';
import { tensorKind } from '../../tensor/kinds.js';
import { embeddingOptions } from '../functional/embedding.js';

export interface EmbeddingLayerOptions extends functional.EmbeddingOptions, FactoryOptions {
  /** @internal The vectors themselves, [numEmbeddings, embeddingDim], instead of random ones. */
  _weight?: Tensor | null;
  /** @internal Whether the vectors do not learn. */
  _freeze?: boolean;
}

const embeddingLayerOptions: Kinds<EmbeddingLayerOptions> = {
  ...embeddingOptions,
  _weight: orNull(tensorKind),
  _freeze: boolean,
  ...factoryOptions,
};

export interface PretrainedEmbeddingOptions extends functional.EmbeddingOptions {
  /** Whether the vectors do not learn. Default: true. */
  freeze?: boolean;
}

const fromPretrainedTakes = signature<PretrainedEmbeddingOptions>(
  { vectors: tensorKind },
  { freeze: boolean, ...embeddingOptions },
);

/** The sizes of given vectors; throws unless they are a matrix. */
export function sizesOfVectors(vectors: Tensor): [rows: number, columns: number] {
  const shape = vectors.shape;
  if (shape.length === 2) return shape as [number, number];
  throw new AiforgeError('INVALID_ARGUMENT', `fromPretrained: expected 2 dimensions, got [${shape.join(', ')}].`);
}

/** A table's vectors: `given`, or uninitialised ones. */
export function tableOf(rows: number, columns: number, given: Tensor | null, factory: FactoryOptions): Tensor {
  if (given === null) return empty([rows, columns], factory);
  if (String(given.shape) === String([rows, columns])) return given;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `_weight: expected the shape [${rows}, ${columns}], got [${given.shape.join(', ')}].`,
  );
}

/** Draws a table's vectors from the standard normal distribution; the row `paddingIdx` is zero. */
export function resetTable(weight: Tensor, paddingIdx: number | null): void {
  normal_(weight);
  if (paddingIdx !== null) scope(() => noGrad(() => void weight.select(0, paddingIdx).fill_(0)));
}

const embeddingTakes = signature({ numEmbeddings: size, embeddingDim: size }, embeddingLayerOptions);

/**
 * A table of `numEmbeddings` learnt vectors, drawn from the standard normal distribution: an input of row numbers [...]
 * gives [..., embeddingDim]. The row `paddingIdx` is zero and stays so. As `torch.nn.Embedding`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for sizes that are no whole numbers and a `paddingIdx` that is no row.
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.Embedding(10, 4, { paddingIdx: 0 }).forward(tensor([[1, 2, 0]])).shape; // [1, 3, 4]
 */
export class Embedding extends Module {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  readonly paddingIdx: number | null;
  readonly maxNorm: number | null;
  readonly normType: number;
  readonly scaleGradByFreq: boolean;
  readonly sparse: boolean;
  weight: Parameter;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingLayerOptions = {}) {
    embeddingTakes.check(new.target.name, arguments);
    super();
    const {
      paddingIdx = null,
      maxNorm = null,
      normType = 2,
      scaleGradByFreq = false,
      sparse = false,
      _weight = null,
      _freeze = false,
      ...factory
    } = options;
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    this.paddingIdx = paddingIdx === null ? null : checkPaddingIdx(paddingIdx, numEmbeddings);
    this.maxNorm = maxNorm;
    this.normType = normType;
    this.scaleGradByFreq = scaleGradByFreq;
    this.sparse = sparse;
    this.weight = new Parameter(tableOf(numEmbeddings, embeddingDim, _weight, factory), !_freeze);
    if (_weight === null) this.resetParameters();
    noteMembers(this);
  }

  /**
   * An embedding of given vectors, [numEmbeddings, embeddingDim], whose memory it shares; it learns only with
   * `freeze: false`. As `torch.nn.Embedding.from_pretrained`.
   *
   * @example
   * import { nn, tensor } from 'aiforge';
   * nn.Embedding.fromPretrained(tensor([[1, 2.5], [3, 4]])).forward(tensor([1])).tolist(); // [[3, 4]]
   */
  static fromPretrained(vectors: Tensor, options: PretrainedEmbeddingOptions = {}): Embedding {
    fromPretrainedTakes.check('fromPretrained', arguments);
    const { freeze = true, ...rest } = options;
    return new Embedding(...sizesOfVectors(vectors), { ...rest, _weight: vectors, _freeze: freeze });
  }

  resetParameters(): void {
    nothing.check('resetParameters', arguments);
    resetTable(this.weight, this.paddingIdx);
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    const { weight, paddingIdx, maxNorm, normType, scaleGradByFreq, sparse } = this;
    if (maxNorm !== null) {
      return functional.embedding(input, weight, paddingIdx, maxNorm, normType, scaleGradByFreq, sparse);
    }
    return operators.embedding(weight, input, paddingIdx ?? -1, scaleGradByFreq, sparse);
  }

  override extraRepr(): string {
    const parts = [String(this.numEmbeddings), String(this.embeddingDim)];
    if (this.paddingIdx !== null) parts.push(`padding_idx=${this.paddingIdx}`);
    if (this.maxNorm !== null) parts.push(`max_norm=${pythonFloat(this.maxNorm)}`);
    if (this.normType !== 2) parts.push(`norm_type=${pythonFloat(this.normType)}`);
    if (this.scaleGradByFreq) parts.push(`scale_grad_by_freq=${pythonBoolean(true)}`);
    if (this.sparse) parts.push(`sparse=${pythonBoolean(true)}`);
    return parts.join(', ');
  }
}
