import { AiforgeError } from '../../errors.js';
import { boolean, size, type Kinds } from '../../kinds.js';
import { signature, nothing } from '../../signature.js';
import type { Device, DType } from '../../tensor/dtype.js';
import { bilinear, empty } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import { kaimingUniform_, uniform_ } from '../init.js';
import { hasUninitializedParams, initializeOnForward } from '../lazy.js';
import { Module } from '../module.js';
import * as operators from '../operators.js';
import { Parameter } from '../parameter.js';
import { noteMembers } from '../members/registry.js';
import { pythonBoolean } from '../printing/printing.js';
import { materialize, UninitializedParameter } from '../uninitialized.js';
import { dtypeKind, deviceKind } from '../../tensor/kinds.js';
import { checkInput, refuseSurplus } from '../checks.js';

/** Where and of which dtype a layer's parameters are. */
export interface FactoryOptions {
  /** Default: `'cpu'`. */
  device?: Device;
  /** Default: `'float32'`. */
  dtype?: DType;
}

export const factoryOptions: Kinds<FactoryOptions> = { device: deviceKind, dtype: dtypeKind };

export interface LinearOptions extends FactoryOptions {
  /** Whether a learnt bias is added. Default: true. */
  bias?: boolean;
}

const linearOptions: Kinds<LinearOptions> = { bias: boolean, ...factoryOptions };

const linearTakes = signature({ inFeatures: size, outFeatures: size }, linearOptions);

/**
 * `x @ weight.T + bias`, from [..., inFeatures] to [..., outFeatures]. Weights and bias are drawn uniformly from
 * ±1/sqrt(inFeatures). As `torch.nn.Linear`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for sizes that are no whole numbers.
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.Linear(3, 2).forward(randn([4, 3])).shape; // [4, 2]
 */
export class Linear extends Module {
  inFeatures: number;
  outFeatures: number;
  weight: Parameter;
  bias: Parameter | null;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    linearTakes.check(new.target.name, arguments);
    const { bias = true, ...factory } = options;
    super();
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.weight = new Parameter(empty([outFeatures, inFeatures], factory));
    this.bias = bias ? new Parameter(empty([outFeatures], factory)) : null;
    this.resetParameters();
    noteMembers(this);
  }

  resetParameters(): void {
    nothing.check('resetParameters', arguments);
    kaimingUniform_(this.weight, { a: Math.sqrt(5) });
    if (this.bias === null) return;
    const bound = this.inFeatures > 0 ? 1 / Math.sqrt(this.inFeatures) : 0;
    uniform_(this.bias, -bound, bound);
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.linear(input, this.weight, this.bias);
  }

  override extraRepr(): string {
    return `in_features=${this.inFeatures}, out_features=${this.outFeatures}, bias=${pythonBoolean(this.bias !== null)}`;
  }
}

const bilinearTakes = signature({ in1Features: size, in2Features: size, outFeatures: size }, linearOptions);

/**
 * `x1 @ weight[k] @ x2 + bias[k]` for each output k, from [..., in1Features] and [..., in2Features] to
 * [..., outFeatures]. Weights and bias are drawn uniformly from ±1/sqrt(in1Features). As `torch.nn.Bilinear`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for sizes that are no whole numbers and an `in1Features` of 0.
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.Bilinear(3, 4, 2).forward(randn([5, 3]), randn([5, 4])).shape; // [5, 2]
 */
export class Bilinear extends Module {
  readonly in1Features: number;
  readonly in2Features: number;
  readonly outFeatures: number;
  weight: Parameter;
  bias: Parameter | null;

  constructor(in1Features: number, in2Features: number, outFeatures: number, options: LinearOptions = {}) {
    bilinearTakes.check(new.target.name, arguments);
    const { bias = true, ...factory } = options;
    super();
    this.in1Features = in1Features;
    this.in2Features = in2Features;
    this.outFeatures = outFeatures;
    if (in1Features === 0) {
      throw new AiforgeError('INVALID_ARGUMENT', 'Bilinear: in1Features must be more than 0, got 0.');
    }
    this.weight = new Parameter(empty([outFeatures, in1Features, in2Features], factory));
    this.bias = bias ? new Parameter(empty([outFeatures], factory)) : null;
    this.resetParameters();
    noteMembers(this);
  }

  resetParameters(): void {
    nothing.check('resetParameters', arguments);
    const bound = 1 / Math.sqrt(this.in1Features);
    uniform_(this.weight, -bound, bound);
    if (this.bias !== null) uniform_(this.bias, -bound, bound);
  }

  override forward(input1: Tensor, input2: Tensor): Tensor {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    return bilinear(input1, input2, this.weight, this.bias);
  }

  override extraRepr(): string {
    const sizes = `in1_features=${this.in1Features}, in2_features=${this.in2Features}, out_features=${this.outFeatures}`;
    return `${sizes}, bias=${pythonBoolean(this.bias !== null)}`;
  }
}

/**
 * Gives its input back. As `torch.nn.Identity`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.Identity().forward(tensor([1, 2])).tolist(); // [1, 2]
 */
export class Identity extends Module {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return input;
  }
}

const lazyLinearTakes = signature({ outFeatures: size }, linearOptions);

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
  constructor(outFeatures: number, options: LinearOptions = {}) {
    lazyLinearTakes.check(new.target.name, arguments);
    const { bias = true, ...factory } = options;
    super(0, 0, { bias: false });
    this.outFeatures = outFeatures;
    this.weight = new UninitializedParameter(factory);
    if (bias) this.bias = new UninitializedParameter(factory);
    initializeOnForward(this);
  }

  override resetParameters(): void {
    nothing.check('resetParameters', arguments);
    if (!this.hasUninitializedParams() && this.inFeatures !== 0) super.resetParameters();
  }

  hasUninitializedParams(): boolean {
    nothing.check('hasUninitializedParams', arguments);
    return hasUninitializedParams(this);
  }

  initializeParameters(input: Tensor): void {
    checkInput('LazyLinear', input);
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
