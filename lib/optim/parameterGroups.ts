import type { Tensor } from '../tensor/tensor.js';
import type { ScheduledOptions } from './optimizerSignature.js';

/** Parameters, or named ones as `module.namedParameters()` gives them. */
export type Parameters = Iterable<Tensor> | Iterable<readonly [name: string, parameter: Tensor]>;

/** Parameters with options of their own; those left out are the optimizer's. */
export type ParameterGroupOptions<Options> = Partial<Options> & { params: Tensor | Parameters };

/** Parameters and the options that they are updated with; options may be changed between steps. */
export type ParameterGroup<Options> = Options &
  ScheduledOptions & {
    params: readonly Tensor[];
    paramNames?: readonly string[];
  };

export function isGroup<Options>(item: unknown): item is ParameterGroupOptions<Options> {
  return typeof item === 'object' && item !== null && 'params' in item;
}
