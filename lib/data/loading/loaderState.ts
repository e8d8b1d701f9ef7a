import { AiforgeError } from '../../errors.js';
import { kind, listOf, size, tuple } from '../../kinds.js';
import { isPlainObject } from '../../realms.js';
import { show } from '../../show.js';
import type { Position } from '../stream.js';
import type { Progress } from './pass.js';

/** Where a DataLoader stands: plain JSON. */
export interface LoaderState {
  readonly version: 1;
  /** How many samples the dataset has; null for a stream. */
  readonly size: number | null;
  /** What the loader's own generator goes on from; null where it has none, or a pass says more. */
  readonly generator: string | null;
  /** The same of generators of the sampler's own; in a pass, what they had before it. */
  readonly samplers: readonly string[];
  /** The pass that is going on; null between passes. */
  readonly pass: PassState | null;
}

export interface PassState {
  /** The state of the loader's generator, or of the default one, before the pass began. */
  readonly begunWith: string;
  readonly progress: Progress | null;
  readonly position: Position;
}

const bytes = kind<string>(
  'the state of a generator, in base64',
  (value) => typeof value === 'string' && /^[\w+/]+={0,2}$/.test(value),
);
const listOfBytes = listOf(bytes);

/** Throws STATE_DICT_MISMATCH for what no loader of these samples gave. */
export function checkLoaderState(state: unknown, samples: number | null): asserts state is LoaderState {
  if (!isPlainObject(state) || state.version !== 1)
    throw mismatch(`got ${show(state)}, expected what stateDict() gave`);
  const { size: had, generator, pass } = state;
  if (had !== samples) throw mismatch(`it is of ${counted(had)}, and this loader has ${counted(samples)}`);
  if (generator !== null && !bytes.accepts(generator))
    throw mismatch(`generator is ${show(generator)}, expected ${bytes.expected}`);
  // Earlier versions knew of none.
  if (state.samplers !== undefined && !listOfBytes.accepts(state.samplers))
    throw mismatch(`samplers is ${show(state.samplers)}, expected ${listOfBytes.expected}`);
  if (pass !== null) checkPass(pass, samples === null);
}

function checkPass(pass: unknown, isStream: boolean): void {
  if (!isPlainObject(pass) || !bytes.accepts(pass.begunWith)) throw mismatch(`pass is ${show(pass)}`);
  const { progress } = pass;
  if (isStream ? progress !== null : !isProgress(progress)) throw mismatch(`its progress is ${show(progress)}`);
}

const isProgress = (value: unknown): boolean =>
  isPlainObject(value) &&
  ['batches', 'samples', 'taken', 'epoch'].every((key) => size.accepts(value[key])) &&
  listOf(tuple(size, size)).accepts(value.early) &&
  (value.order === undefined || size.accepts(value.order));

const counted = (samples: unknown): string => (samples === null ? 'a stream' : `${show(samples)} samples`);

const mismatch = (problem: string): AiforgeError =>
  new AiforgeError('STATE_DICT_MISMATCH', `DataLoader.loadStateDict: ${problem}.`);
