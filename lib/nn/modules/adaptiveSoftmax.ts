import { boolean, number, whole, size, listOf, type Kinds } from '../../kinds.js';
import { signature, nothing } from '../../signature.js';
import { logSoftmax } from '../functional/softmax.js';
import { refuse, sizes } from '../functional/reductions.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Module } from '../module.js';
import { ModuleList, Sequential } from './containers.js';
import { Linear, factoryOptions, type FactoryOptions } from './linear.js';
import { checkInput, refuseSurplus } from '../checks.js';

export interface AdaptiveLogSoftmaxOptions extends FactoryOptions {
  /** By what the number of features shrinks from cluster to cluster. Default: 4. */
  divValue?: number;
  /** Whether the head adds a bias. Default: false. */
  headBias?: boolean;
}

const adaptiveLogSoftmaxOptions: Kinds<AdaptiveLogSoftmaxOptions> = {
  divValue: number,
  headBias: boolean,
  ...factoryOptions,
};

/** What `AdaptiveLogSoftmaxWithLoss` computes: a pair that has its items under their names too. */
export type AdaptiveSoftmaxOutput = [output: Tensor, loss: Tensor] & { readonly output: Tensor; readonly loss: Tensor };

const name = 'AdaptiveLogSoftmaxWithLoss';

function checkCutoffs(cutoffs: readonly number[], classes: number): readonly number[] {
  if (cutoffs.length === 0) refuse(name, 'cutoffs must have one number or more');
  cutoffs.forEach((cutoff, i) => {
    if (Number.isInteger(cutoff) && cutoff > (cutoffs[i - 1] ?? 0) && cutoff < classes) return;
    const expected = `whole numbers that grow, between 1 and nClasses - 1, ${classes - 1}`;
    refuse(name, `cutoffs must be ${expected}, got [${cutoffs.join(', ')}]`);
  });
  return cutoffs;
}

function checkShapes(input: Tensor, target: Tensor): void {
  checkInput(name, input);
  checkInput(name, target);
  const [dims, rows] = [target.dim(), target.dim() > 0 ? target.size(0) : 0];
  if (dims > 1) refuse(name, `the target must have at most one dimension, got ${sizes(target)}`);
  if (input.dim() !== dims + 1) {
    refuse(name, `a target ${sizes(target)} goes with an input of ${dims + 1} dimensions, got ${sizes(input)}`);
  }
  if (dims === 1 && input.size(0) !== rows) {
    refuse(name, `input and target must have one batch size, got ${sizes(input)} and ${sizes(target)}`);
  }
}

const adaptiveLogSoftmaxWithLossTakes = signature(
  { inFeatures: size, nClasses: size, cutoffs: listOf(whole) },
  adaptiveLogSoftmaxOptions,
);

/**
 * A softmax over many classes of which few are frequent: the head has the classes below the first cutoff and one entry
 * for each cluster of rarer ones, and cluster i works on `inFeatures / divValue^(i + 1)` features. Gives the log
 * probability of each target and the loss, `-mean(output)`. Input [batch, inFeatures] or [inFeatures], target of class
 * numbers [batch] or a scalar; output like the target, a scalar loss. Classes should be sorted by frequency. As
 * `torch.nn.AdaptiveLogSoftmaxWithLoss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for cutoffs that do not grow between 1 and nClasses - 1, and from forward for
 * shapes that do not fit and targets outside 0 to nClasses - 1.
 * @example
 * import { nn, randn, tensor } from 'aiforge';
 * const softmax = new nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10], { divValue: 2 });
 * const { output, loss } = softmax.forward(randn([3, 8]), tensor([0, 7, 19]));
 * [output.shape, loss.shape]; // [[3], []]
 */
export class AdaptiveLogSoftmaxWithLoss extends Module {
  readonly inFeatures: number;
  readonly nClasses: number;
  /** The cutoffs and, at the end, the number of classes. */
  readonly cutoffs: readonly number[];
  readonly divValue: number;
  readonly headBias: boolean;
  readonly shortlistSize: number;
  readonly nClusters: number;
  readonly headSize: number;
  head: Linear;
  tail: ModuleList<Sequential>;

  constructor(
    inFeatures: number,
    nClasses: number,
    cutoffs: readonly number[],
    options: AdaptiveLogSoftmaxOptions = {},
  ) {
    adaptiveLogSoftmaxWithLossTakes.check(new.target.name, arguments);
    const { divValue = 4, headBias = false, ...factory } = options;
    super();
    this.inFeatures = inFeatures;
    this.nClasses = nClasses;
    this.cutoffs = [...checkCutoffs(cutoffs, nClasses), nClasses];
    this.divValue = divValue;
    this.headBias = headBias;
    this.shortlistSize = this.cutoffs[0]!;
    this.nClusters = cutoffs.length;
    this.headSize = this.shortlistSize + this.nClusters;
    this.head = new Linear(inFeatures, this.headSize, { bias: headBias, ...factory });
    this.tail = new ModuleList(
      cutoffs.map((cutoff, i) => {
        const features = Math.floor(inFeatures / divValue ** (i + 1));
        return new Sequential(
          new Linear(inFeatures, features, { bias: false, ...factory }),
          new Linear(features, this.cutoffs[i + 1]! - cutoff, { bias: false, ...factory }),
        );
      }),
    );
  }

  resetParameters(): void {
    nothing.check('resetParameters', arguments);
    for (const module of this.modules()) if (module instanceof Linear) module.resetParameters();
  }

  override forward(input: Tensor, target: Tensor): AdaptiveSoftmaxOutput {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    checkShapes(input, target);
    const isBatched = target.dim() > 0;
    const [rows, targets] = isBatched ? [input, target] : [input.unsqueeze(0), target.unsqueeze(0)];
    const { output, headIndices } = this.clusterLogProbs(rows, targets);
    const head = logSoftmax(this.head.forward(rows), 1);
    output.add_(head.gather(1, headIndices.unsqueeze(1)).squeeze());
    const loss = output.neg().mean();
    const result = isBatched ? output : output.squeeze(0);
    return Object.assign([result, loss] as [Tensor, Tensor], { output: result, loss });
  }

  // Each row's log probability within its cluster, 0 for the shortlist, and which entry of the head it goes through.
  private clusterLogProbs(input: Tensor, target: Tensor): { output: Tensor; headIndices: Tensor } {
    const batch = target.size(0);
    const output = input.newZeros([batch]);
    const headIndices = target.newEmpty([batch]);
    let used = 0;
    for (const [i, high] of this.cutoffs.entries()) {
      const low = i === 0 ? 0 : this.cutoffs[i - 1]!;
      const mask = target.ge(low).bitwiseAnd(target.lt(high));
      const rows = mask.nonzero().squeeze();
      if (rows.numel() === 0) continue;
      used += rows.numel();
      const own = target.maskedSelect(mask);
      if (i === 0) {
        headIndices.indexCopy_(0, rows, own);
        continue;
      }
      const logProbs = logSoftmax(this.tail.at(i - 1).forward(input.indexSelect(0, rows)), 1);
      headIndices.indexFill_(0, rows, this.shortlistSize + i - 1);
      output.indexCopy_(0, rows, logProbs.gather(1, own.sub(low).unsqueeze(1)).squeeze(1));
    }
    if (used !== batch) {
      const range = `${target.min().item()} to ${target.max().item()}`;
      refuse(name, `targets must be between 0 and ${this.nClasses - 1}, got ${range}`);
    }
    return { output, headIndices };
  }

  private fullLogProb(input: Tensor, headOutput: Tensor): Tensor {
    const out = input.newEmpty([headOutput.size(0), this.nClasses]);
    const head = logSoftmax(headOutput, 1);
    out.narrow(1, 0, this.shortlistSize).copy_(head.narrow(1, 0, this.shortlistSize));
    for (let i = 0; i < this.nClusters; ++i) {
      const [start, end] = [this.cutoffs[i]!, this.cutoffs[i + 1]!];
      const cluster = logSoftmax(this.tail.at(i).forward(input), 1);
      out.narrow(1, start, end - start).copy_(cluster.add(head.select(1, this.shortlistSize + i).unsqueeze(1)));
    }
    return out;
  }

  /** The log probabilities of all classes, [batch, nClasses], of an input [batch, inFeatures]. */
  logProb(input: Tensor): Tensor {
    return this.fullLogProb(input, this.head.forward(input));
  }

  /** The most probable class of each row, [batch]: `logProb(input).argmax(1)` without computing what is not needed. */
  predict(input: Tensor): Tensor {
    const headOutput = this.head.forward(input);
    const output = headOutput.argmax(1);
    const outside = output.ge(this.shortlistSize);
    if (outside.any().item<boolean>() === false) return output;
    if (outside.all().item<boolean>() === true) return this.fullLogProb(input, headOutput).argmax(1);
    const rows = outside.nonzero().squeeze(1);
    const logProbs = this.fullLogProb(input.indexSelect(0, rows), headOutput.indexSelect(0, rows));
    return output.indexCopy_(0, rows, logProbs.argmax(1));
  }
}
