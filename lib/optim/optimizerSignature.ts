import { either, kind, number, type Kind, type Kinds } from '../kinds.js';
import { Signature, signature } from '../signature.js';
import { Module } from '../nn/module.js';
import { tensorKind } from '../tensor/kinds.js';
import { Tensor } from '../tensor/tensor.js';
import type { Scalar } from './scalars.js';

export const scalarKind: Kind<Scalar> = either(number, tensorKind);

/** What an optimizer takes, and what each of its groups of parameters takes beside `params`. */
export interface OptimizerSignature {
  readonly own: Signature;
  readonly group: Signature;
}

/** What learning rate schedules leave in a group of parameters, beside the optimizer's own options. */
export interface ScheduledOptions {
  /** What they began with. */
  initialLr?: Scalar;
  /** The bounds of a cycle. */
  maxLr?: Scalar;
  minLr?: Scalar;
  maxMomentum?: number;
  baseMomentum?: number;
  /** Where SWALR leads to. */
  swaLr?: Scalar;
}

const isParameters = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Symbol.iterator in value &&
  !Tensor.isTensor(value) &&
  !(value instanceof Module);

export const parametersKind = kind(
  'a list of parameters, such as model.parameters(), or of groups { params, … }',
  isParameters,
);

export const scheduledOptions: Kinds<ScheduledOptions> = {
  initialLr: scalarKind,
  maxLr: scalarKind,
  minLr: scalarKind,
  swaLr: scalarKind,
  baseMomentum: number,
  maxMomentum: number,
};

/** The signatures of an optimizer with these options. */
export const takesParameters = <Options>(options: Kinds<Options>): OptimizerSignature => ({
  own: signature<Options>({ params: parametersKind }, options),
  group: new Signature({}, { ...options, ...scheduledOptions }),
});
