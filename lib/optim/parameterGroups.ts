import { Tensor } from '../tensor/tensor.js';
import type { ScheduledOptions } from './optimizerSignature.js';
import { isOptions } from '../signature.js';
import { show } from '../show.js';
import { reject } from './options.js';

/** Parameters, or named ones as `module.namedParameters()` gives them. */
export type Parameters = Iterable<Tensor> | Iterable<readonly [name: string, parameter: Tensor]>;

/** Parameters with options of their own; those left out are the optimizer's. */
export type ParameterGroupOptions<Options> = Partial<Options> & { params: Tensor | Parameters; name?: string };

/** Parameters and the options that they are updated with; options may be changed between steps. */
export type ParameterGroup<Options> = Options &
  ScheduledOptions & {
    params: readonly Tensor[];
    /** What its owner calls it. */
    name?: string;
    paramNames?: readonly string[];
  };

const isGroup = <Options>(item: unknown): item is ParameterGroupOptions<Options> =>
  typeof item === 'object' && item !== null && 'params' in item;

const whereParametersAre =
  'The parameters of a module are those that its properties hold; a #private field is seen by its own class alone.';

/** What an optimizer is given as groups: those that it is given, or one of all parameters. */
export function groupsOf<Options>(optimizer: string, items: readonly unknown[]): ParameterGroupOptions<Options>[] {
  const [first] = items;
  if (first === undefined) reject(`${optimizer}: the list of parameters is empty. ${whereParametersAre}`);
  if (isGroup(first)) return items as ParameterGroupOptions<Options>[];
  if (isOptions(first)) reject(`${optimizer}: a group needs params, the list of its parameters, got ${show(first)}.`);
  return [{ params: items } as unknown as ParameterGroupOptions<Options>];
}

/** The parameters of a group, and their names where they have any. */
export function parametersIn(given: Tensor | Parameters): { params: Tensor[]; paramNames?: string[] } {
  const items: unknown[] = Tensor.isTensor(given) ? [given] : [...given];
  const named = items.filter((item) => Array.isArray(item)) as [string, Tensor][];
  if (named.length === 0) return { params: items as Tensor[] };
  if (named.length !== items.length) reject('Either all parameters have names or none.');
  return { params: named.map(([, parameter]) => parameter), paramNames: named.map(([name]) => name) };
}
