import { AiforgeError } from '../../errors.js';
import { noGrad } from '../../autograd/modes.js';
import { empty } from '../../tensor/generated/functions.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkPaddingIdx, checkSize } from '../checks.js';
import * as functional from '../functional.js';
import { normal_ } from '../init.js';
import type { FactoryOptions } from './linear.js';
import { Module } from '../module.js';
import * as operators from '../operators.js';
import { Parameter } from '../parameter.js';
import { pythonBoolean, pythonFloat } from '../printing.js';

export interface EmbeddingLayerOptions extends functional.EmbeddingOptions, FactoryOptions {}

/**
 * A table of `numEmbeddings` learnt vectors, drawn from the standard normal distribution; the row `paddingIdx` is zero
 * and stays so.
 *
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
    super();
    const {
      paddingIdx = null,
      maxNorm = null,
      normType = 2,
      scaleGradByFreq = false,
      sparse = false,
      ...factory
    } = options;
    this.numEmbeddings = checkSize('Embedding', 'numEmbeddings', numEmbeddings);
    this.embeddingDim = checkSize('Embedding', 'embeddingDim', embeddingDim);
    this.paddingIdx = paddingIdx === null ? null : checkPaddingIdx(paddingIdx, numEmbeddings);
    this.maxNorm = maxNorm;
    this.normType = normType;
    this.scaleGradByFreq = scaleGradByFreq;
    this.sparse = sparse;
    this.weight = new Parameter(empty([numEmbeddings, embeddingDim], factory));
    this.resetParameters();
  }

  /** An embedding of given vectors, [numEmbeddings, embeddingDim], which learns only with `freeze: false`. */
  static fromPretrained(
    vectors: Tensor,
    { freeze = true, ...options }: functional.EmbeddingOptions & { freeze?: boolean } = {},
  ): Embedding {
    const [rows, columns, ...more] = vectors.shape;
    if (rows === undefined || columns === undefined || more.length > 0) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `fromPretrained: expected 2 dimensions, got [${vectors.shape.join(', ')}].`,
      );
    }
    const embedding = new Embedding(0, columns, { ...options, paddingIdx: null });
    const padding = options.paddingIdx == null ? null : checkPaddingIdx(options.paddingIdx, rows);
    return Object.assign(embedding, {
      numEmbeddings: rows,
      paddingIdx: padding,
      weight: new Parameter(vectors, !freeze),
    });
  }

  resetParameters(): void {
    normal_(this.weight);
    const { paddingIdx } = this;
    if (paddingIdx !== null) scope(() => noGrad(() => void this.weight.select(0, paddingIdx).fill_(0)));
  }

  override forward(input: Tensor): Tensor {
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
