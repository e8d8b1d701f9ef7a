import { AiforgeError } from '../../errors.js';
import { share } from '../../tensor/index.js';
import { CachedDataset } from '../cachedDataset.js';
import { defaultCollate } from '../collate.js';
import { ConcatDataset } from '../concatDataset.js';
import { Subset, type Samples } from '../dataset.js';
import { made, originOf, type Origin } from '../fromModule.js';
import { padCollate, padOptionsOf, type PadOptions } from '../padCollate.js';
import { StackDataset } from '../stackDataset.js';
import { TensorDataset } from '../tensorDataset.js';
import { MappedDataset } from '../mappedDataset.js';
import { isRememberedName, rememberedClasses, rememberedOf } from './remembered.js';
import { Packer, received, type Message } from './message.js';

interface Rebuilt<Value extends object> {
  type: abstract new (...args: never[]) => Value;
  /** What it is made of. */
  of(value: Value): unknown;
  make(of: never): unknown;
}

const rebuilt = <Value extends object, Of>(
  type: abstract new (...args: never[]) => Value,
  of: (value: Value) => Of,
  make: (of: Of) => unknown,
): Rebuilt<Value> => ({ type, of, make });

/** The classes that a worker makes again, from what they are made of. */
const classes: Readonly<Record<string, Rebuilt<never>>> = {
  TensorDataset: rebuilt(TensorDataset, ({ tensors }) => tensors, (tensors) => new TensorDataset(...tensors)),
  Subset: rebuilt(Subset<unknown>, ({ dataset, indices }) => ({ dataset, indices }), ({ dataset, indices }) => new Subset(dataset, indices)),
  ConcatDataset: rebuilt(ConcatDataset<unknown>, ({ datasets }) => datasets, (datasets) => new ConcatDataset(datasets)),
  StackDataset: rebuilt(StackDataset<readonly Samples[]>, ({ datasets }) => datasets, (datasets) => new StackDataset(datasets)),
  cache: rebuilt(CachedDataset<unknown>, ({ dataset, options }) => ({ dataset, options }), ({ dataset, options }) => new CachedDataset(dataset, options)),
  map: rebuilt(MappedDataset<unknown, unknown>, ({ dataset, transform }) => ({ dataset, transform }), ({ dataset, transform }) => new MappedDataset(dataset, transform)),
} as never; // prettier-ignore

function describe(value: object): { made: string; of: unknown } | undefined {
  const origin = originOf(value);
  if (origin !== undefined) return { made: 'module', of: origin };
  if (value === defaultCollate) return { made: 'defaultCollate', of: null };
  const padding = padOptionsOf(value);
  if (padding !== undefined) return { made: 'padCollate', of: padding };
  const remembered = rememberedOf(value);
  if (remembered !== undefined) return { made: remembered.name, of: remembered.args };
  // A class that extends one of these may be made of more.
  const found = Object.entries(classes).find(([, { type }]) => Object.getPrototypeOf(value) === type.prototype);
  return found && { made: found[0], of: found[1].of(value as never) };
}

/** Whether a worker can have a function. */
export const canTravel = (value: object): boolean => describe(value) !== undefined;

/** How a worker makes a dataset. Throws INVALID_ARGUMENT for one that it cannot make, and says how to write it. */
export function recipeOf(packer: Packer, of: { dataset: unknown; collate: unknown }): Message {
  try {
    return packer.pack(of, '');
  } catch (error) {
    if (!(error instanceof AiforgeError) || error.code !== 'INVALID_ARGUMENT') throw error;
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `DataLoader: with numWorkers, each worker makes the dataset again, and ${error.message}. ` +
        "Write it in a module of its own, and give the loader `await data.fromModule(new URL('./dataset.js', import.meta.url), { args })`; " +
        'or set numWorkers to 0.',
      { cause: error },
    );
  }
}

export const recipePacker = (): Packer => new Packer(share, describe);

/** What a recipe makes. */
export async function madeOf(recipe: Message): Promise<unknown> {
  if ('list' in recipe) return Promise.all(recipe.list.map(madeOf));
  if ('object' in recipe) {
    return Object.fromEntries(
      await Promise.all(recipe.object.map(async ([key, each]) => [key, await madeOf(each)] as const)),
    );
  }
  if (!('made' in recipe)) return received(recipe);
  const of = await madeOf(recipe.of);
  if (recipe.made === 'module') return made(of as Origin);
  if (recipe.made === 'padCollate') return padCollate(of as PadOptions);
  if (isRememberedName(recipe.made)) return new (await rememberedClasses[recipe.made]())(...(of as never[]));
  return recipe.made === 'defaultCollate' ? defaultCollate : classes[recipe.made]!.make(of as never);
}
