import { aten } from '../tensor/calls/aten.js';
import {
  empty,
  rand,
  randint,
  randperm,
  type Device,
  type DType,
  type Generator,
  type Tensor,
} from '../tensor/index.js';

/** What a transform is given beside the image; a Dataset's `get` has it from the DataLoader. */
export interface TransformContext {
  /** Where random numbers are drawn from. Default: the default generator. */
  readonly generator?: Generator;
}

// The random draws of transforms, each as torchvision makes it.

/** Where numbers are drawn: where the generator is. */
export const deviceOf = ({ generator }: TransformContext): Device => generator?.device ?? 'cpu';

/** Tensors of numbers from 0 up to 1. */
export const fractions = (shape: readonly number[], context: TransformContext, dtype: DType = 'float32'): Tensor =>
  rand([...shape], { generator: context.generator, device: deviceOf(context), dtype });

/** [1], a number from `low` up to `high`. */
export const uniformTensor = (low: number, high: number, context: TransformContext): Tensor =>
  empty([1], { dtype: 'float32', device: deviceOf(context) }).uniform_(low, high, { generator: context.generator });

/** A number from `low` up to `high`. */
export const uniform = (low: number, high: number, context: TransformContext): number =>
  Number(uniformTensor(low, high, context).item());

/** A number from 0 up to 1. */
export const fraction = (context: TransformContext): number => Number(fractions([1], context).item());

/** True with a probability. */
export const chance = (p: number, context: TransformContext): boolean => fraction(context) < Math.fround(p);

/** A whole number from `low` up to, not including, `high`. */
export const wholeFrom = (low: number, high: number, context: TransformContext): number =>
  Number(randint(low, high, [], { generator: context.generator, device: deviceOf(context) }).item());

/** The numbers below `length` in a random order. */
export const shuffled = (length: number, context: TransformContext): number[] =>
  randperm(length, { generator: context.generator, device: deviceOf(context) }).tolist<number[]>();

/** Numbers from a standard normal distribution; where the generator is elsewhere, they are drawn there and moved. */
export function normals(
  shape: readonly number[],
  dtype: DType,
  device: Device,
  { generator }: TransformContext,
): Tensor {
  const drawn = empty([...shape], { dtype, device: generator?.device ?? device }).normal_(0, 1, { generator });
  return drawn.to(device);
}

const sampleDirichlet = aten('_sample_dirichlet');

/** A Dirichlet distribution's sample for each row of concentrations. */
export const dirichlet = (concentrations: Tensor, { generator }: TransformContext): Tensor =>
  sampleDirichlet(concentrations.to(deviceOf({ generator })), generator);
