import type { Device, DType } from '../../tensor/dtype.js';
import { empty } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import { AiforgeError } from '../../errors.js';
import { checkSize } from '../checks.js';
import { kaimingUniform_, uniform_ } from '../init.js';
import { hasUninitializedParams, initializeOnForward } from '../lazy.js';
import { Module } from '../module.js';
import * as operators from '../operators.js';
import { Parameter } from '../parameter.js';
import { pythonBoolean } from '../printing.js';
import { materialize, UninitializedParameter } from '../uninitialized.js';

/** Where and of which dtype a layer's parameters are. */
export interface FactoryOptions {
  /** Default: `'cpu'`. */
  device?: Device;
  /** Default: `'float32'`. */
  dtype?: DType;
}

export interface LinearOptions extends FactoryOptions {
  /** Default: true. */
  bias?: boolean;
}

/**
 * `x @ weight.T + bias`, from [..., inFeatures] to [..., outFeatures]. Weights and bias are drawn uniformly from
 * ±1/sqrt(inFeatures), as `torch.nn.Linear` draws them.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.Linear(3, 2).forward(randn([4, 3])).shape; // [4, 2]
 */
export class Linear extends Module {
  inFeatures: number;
  outFeatures: number;
  weight: Parameter;
  bias: Parameter | null;

  constructor(inFeatures: number, outFeatures: number, { bias = true, ...factory }: LinearOptions = {}) {
    super();
    this.inFeatures = checkSize('Linear', 'inFeatures', inFeatures);
    this.outFeatures = checkSize('Linear', 'outFeatures', outFeatures);
    this.weight = new Parameter(empty([outFeatures, inFeatures], factory));
    this.bias = bias ? new Parameter(empty([outFeatures], factory)) : null;
    this.resetParameters();
  }

  resetParameters(): void {
    kaimingUniform_(this.weight, { a: Math.sqrt(5) });
    if (this.bias === null) return;
    const bound = this.inFeatures > 0 ? 1 / Math.sqrt(this.inFeatures) : 0;
    uniform_(this.bias, -bound, bound);
  }

  override forward(input: Tensor): Tensor {
    return operators.linear(input, this.weight, this.bias);
  }

  override extraRepr(): string {
    return `in_features=${this.inFeatures}, out_features=${this.outFeatures}, bias=${pythonBoolean(this.bias !== null)}`;
  }
}

/** Gives its input back. */
export class Identity extends Module {
  override forward(input: Tensor): Tensor {
    return input;
  }
}

/**
 * A `Linear` whose `inFeatures` is the last dimension of the first input; it is an ordinary Linear afterwards. As
 * `torch.nn.LazyLinear`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * const layer = new nn.LazyLinear(2);
 * layer.forward(randn([4, 3]));
 * String(layer); // 'Linear(in_features=3, out_features=2, bias=True)'
 */
export class LazyLinear extends Linear {
  constructor(outFeatures: number, { bias = true, ...factory }: LinearOptions = {}) {
    super(0, 0, { bias: false });
    this.outFeatures = checkSize('LazyLinear', 'outFeatures', outFeatures);
    this.weight = new UninitializedParameter(factory);
    if (bias) this.bias = new UninitializedParameter(factory);
    initializeOnForward(this);
  }

  override resetParameters(): void {
    if (!this.hasUninitializedParams() && this.inFeatures !== 0) super.resetParameters();
  }

  hasUninitializedParams(): boolean {
    return hasUninitializedParams(this);
  }

  initializeParameters(input: Tensor): void {
    const inFeatures = input.size(-1);
    if (this.hasUninitializedParams()) {
      this.inFeatures = inFeatures;
      materialize(this.weight, [this.outFeatures, inFeatures]);
      materialize(this.bias, [this.outFeatures]);
      this.resetParameters();
    }
    if (this.inFeatures !== 0) return;
    if (inFeatures !== this.weight.size(-1)) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `LazyLinear: the input has ${inFeatures} features, but the weight, which was loaded, has ${this.weight.size(-1)}.`,
      );
    }
    this.inFeatures = inFeatures;
  }
}
