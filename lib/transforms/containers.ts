import { anything, fraction, func, isListOf, kind, listOf, notNegative, type Kind } from '../kinds.js';
import { Module, ModuleList } from '../nn/index.js';
import { moduleKind } from '../nn/moduleKinds.js';
import { signature } from '../signature.js';
import { multinomial, scope, tensor, type Tensor } from '../tensor/index.js';
import { generatorKind } from '../tensor/kinds.js';
import { chance, deviceOf, shuffled, type TransformContext } from './draws.js';
import { refusal } from './image.js';
import { Transform } from './transform.js';

/** What a list of transforms may hold: transforms, other modules of one tensor, and functions. */
export type Step = Module | ((image: Tensor, context: TransformContext) => Tensor);

const functionKind = func<(image: Tensor, context: TransformContext) => Tensor>();
const stepKind = kind<Step>('a step', (value) => moduleKind.accepts(value) || functionKind.accepts(value));
const stepsKind: Kind<readonly Step[]> = kind(
  'an array of transforms, modules or functions, at least one',
  (value) => isListOf(value, stepKind) && value.length > 0,
);
const lambdaTakes = signature({ fn: functionKind });
const callTakes = signature<TransformContext>({ input: anything }, { generator: generatorKind });

/**
 * A function as a transform; it is given the context too, and what it takes need not be one tensor. As
 * `torchvision.transforms.v2.Lambda`.
 *
 * @example
 * import { ones, stack, type Tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * const crops = new transforms.Compose([
 *   new transforms.FiveCrop(2),
 *   new transforms.Lambda((parts: Tensor[]) => stack(parts)),
 * ]);
 * crops.forward(ones([1, 4, 4])).shape; // [5, 1, 2, 2]
 */
export class Lambda<Input = Tensor, Output = Tensor> extends Transform<Output> {
  readonly fn: (input: Input, context: TransformContext) => Output;

  constructor(fn: (input: Input, context: TransformContext) => Output) {
    lambdaTakes.check(new.target.name, arguments);
    super();
    this.fn = fn;
  }

  override forward(input: unknown, context: TransformContext = {}): Output {
    callTakes.check(`${this.constructor.name}.forward`, arguments);
    return scope(() => this.transform(input as Tensor, context));
  }

  protected override transform(input: Tensor, context: TransformContext): Output {
    return this.fn(input as unknown as Input, context);
  }
}

/** A transform that consists of others. */
abstract class Steps<Output = Tensor> extends Transform<Output> {
  readonly transforms: ModuleList<Module>;

  constructor(transforms: readonly Step[]) {
    super();
    this.transforms = new ModuleList(transforms.map((each) => (each instanceof Module ? each : new Lambda(each))));
  }

  /** Applies the step at an index. */
  protected step(index: number, image: Tensor, context: TransformContext): Tensor {
    return applied(this.transforms.at(index), image, context);
  }

  /** Applies all steps, one after the other. */
  protected all(image: Tensor, context: TransformContext): Tensor {
    let current = image;
    for (const each of this.transforms) current = applied(each, current, context);
    return current;
  }
}

// Other modules draw from the default generator only, if from any.
function applied(step: Module, image: Tensor, context: TransformContext): Tensor {
  if (step instanceof Transform) return (step as Transform).forward(image, context);
  return (step as Module & { forward(image: Tensor): Tensor }).forward(image);
}

const takes = signature({ transforms: stepsKind });

/**
 * Transforms one after the other; where the last gives no tensor, `Output` says what it gives. As
 * `torchvision.transforms.v2.Compose`.
 *
 * @example
 * import { arange, Generator } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * const augment = new transforms.Compose([
 *   new transforms.RandomCrop(2),
 *   new transforms.ToDtype('float32', { scale: true }),
 *   new transforms.Normalize([0.5], [0.5]),
 * ]);
 * const image = arange(16).to('uint8').view(1, 4, 4);
 * augment.forward(image, { generator: new Generator().manualSeed(0) }).shape; // [1, 2, 2]
 */
export class Compose<Output = Tensor> extends Steps<Output> {
  constructor(transforms: readonly Step[]) {
    takes.check(new.target.name, arguments);
    super(transforms);
  }

  protected override transform(image: Tensor, context: TransformContext): Output {
    return this.all(image, context) as Output;
  }
}

export interface RandomApplyOptions {
  /** How probable it is that the transforms are applied, all together. Default: 0.5. */
  p?: number;
}

const applyTakes = signature<RandomApplyOptions>({ transforms: stepsKind }, { p: fraction });

/**
 * Transforms one after the other with a probability, or none. As `torchvision.transforms.v2.RandomApply`.
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.RandomApply([new transforms.GaussianBlur(3)], { p: 0.3 }).forward(ones([3, 8, 8])).shape; // [3, 8, 8]
 */
export class RandomApply extends Steps {
  readonly p: number;

  constructor(transforms: readonly Step[], options: RandomApplyOptions = {}) {
    applyTakes.check(new.target.name, arguments);
    super(transforms);
    this.p = options.p ?? 0.5;
  }

  protected override transform(image: Tensor, context: TransformContext): Tensor {
    return chance(this.p, context) ? this.all(image, context) : image;
  }
}

export interface RandomChoiceOptions {
  /** How probable each is, relative to the others. Default: all equally. */
  p?: readonly number[];
}

const choiceTakes = signature<RandomChoiceOptions>({ transforms: stepsKind }, { p: listOf(notNegative) });

/**
 * One of several transforms. As `torchvision.transforms.v2.RandomChoice`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for as many probabilities as there are no transforms, and where none is above 0.
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * const flips = [new transforms.RandomHorizontalFlip(1), new transforms.RandomVerticalFlip(1)];
 * new transforms.RandomChoice(flips, { p: [3, 1] }).forward(ones([3, 4, 4])).shape; // [3, 4, 4]
 */
export class RandomChoice extends Steps {
  readonly p: readonly number[];

  constructor(transforms: readonly Step[], options: RandomChoiceOptions = {}) {
    choiceTakes.check(new.target.name, arguments);
    const { p = transforms.map(() => 1) } = options;
    const total = p.reduce((sum, each) => sum + each, 0);
    if (p.length !== transforms.length || !(total > 0 && total < Infinity)) {
      throw refusal(new.target.name, `p must have ${transforms.length} finite numbers, one for each transform and not all of them 0, got [${p.join(', ')}]`); // prettier-ignore
    }
    super(transforms);
    this.p = p.map((each) => each / total);
  }

  protected override transform(image: Tensor, context: TransformContext): Tensor {
    const drawn = multinomial(tensor([...this.p], { dtype: 'float32', device: deviceOf(context) }), 1, {
      generator: context.generator,
    });
    return this.step(Number(drawn.item()), image, context);
  }
}

/**
 * Transforms one after the other, in a random order. As `torchvision.transforms.v2.RandomOrder`.
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * const steps = [new transforms.GaussianBlur(3), new transforms.RandomInvert(1)];
 * new transforms.RandomOrder(steps).forward(ones([3, 4, 4])).shape; // [3, 4, 4]
 */
export class RandomOrder extends Steps {
  constructor(transforms: readonly Step[]) {
    takes.check(new.target.name, arguments);
    super(transforms);
  }

  protected override transform(image: Tensor, context: TransformContext): Tensor {
    const order = shuffled(this.transforms.length, context);
    return order.reduce((current, index) => this.step(index, current, context), image);
  }
}
