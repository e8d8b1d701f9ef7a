import { AiforgeError } from '../errors.js';
import { cat, keep, scope, tensor, zeros, type Device, type Tensor } from '../tensor/index.js';
import { dtypes } from '../tensor/dtype.js';

/**
 * How the states of several ranks, or of two metrics, become one: `cat` puts them one after the other, and a function makes
 * one of two.
 */
export type Reduction = 'sum' | 'min' | 'max' | 'cat' | Merge;

type Merge = (a: Tensor, b: Tensor) => Tensor;

/** What gives every rank the tensors of all, in their order: a `ProcessGroup`. */
export interface Gathers {
  allGather(tensor: Tensor): Promise<Tensor[]>;
}

/** A metric's state as it is saved: the batches that it took, and its tensors by name. */
export interface MetricState {
  updates: number;
  states: Record<string, Tensor | Tensor[]>;
}

interface State {
  reduction: Reduction;
  /** What it begins with; undefined for one that grows by `cat`. */
  initial: Tensor | undefined;
  items: Tensor[];
}

const merges: Record<Exclude<Reduction, 'cat' | Merge>, Merge> = {
  sum: (a, b) => a.add(b),
  min: (a, b) => a.minimum(b),
  max: (a, b) => a.maximum(b),
};

const mergeOf = (reduction: Exclude<Reduction, 'cat'>): Merge =>
  typeof reduction === 'function' ? reduction : merges[reduction];

/** The tensors that a metric counts in, by name. They outlive scopes, and go where the batches are. */
export class States {
  readonly #states = new Map<string, State>();
  #updates = 0;

  /** How many batches are in it. */
  get updates(): number {
    return this.#updates;
  }

  define(name: string, reduction: Reduction, initial?: Tensor): void {
    const start = initial === undefined ? undefined : keep(initial.detach());
    this.#states.set(name, { reduction, initial: start, items: start === undefined ? [] : [keep(start.clone())] });
  }

  /** The same states as at the beginning. */
  fresh(): States {
    const made = new States();
    for (const [name, { reduction, initial }] of this.#states) made.define(name, reduction, initial);
    return made;
  }

  /** Runs `body` on states that begin anew, and takes them in afterwards. */
  aside<T>(body: () => T): T {
    const other = this.fresh();
    this.#swap(other);
    try {
      return body();
    } finally {
      this.#swap(other);
      scope(() => this.merge(other));
      other.dispose();
    }
  }

  dispose(): void {
    for (const item of this.tensors()) item.dispose();
  }

  /** A copy of a state as one tensor. Throws where one that grows has nothing. */
  get(name: string): Tensor {
    const { items, initial } = this.#named(name);
    if (initial !== undefined) return items[0]!.clone();
    if (items.length > 0) return cat(items);
    throw new AiforgeError('INVALID_ARGUMENT', `compute: no batch had an element for '${name}'.`);
  }

  /** Puts a tensor in a state's place. */
  set(name: string, value: Tensor): void {
    replace(this.#named(name), [value]);
  }

  add(name: string, value: Tensor | number): void {
    const { items } = this.#named(name);
    items[0]!.add_(value);
  }

  /** Adds to a state that grows; a copy, whatever becomes of the tensor. */
  append(name: string, value: Tensor): void {
    if (value.numel() > 0) this.#named(name).items.push(keep(value.detach().clone()));
  }

  /** Counts a batch. */
  count(): void {
    ++this.#updates;
  }

  /** Goes to where a batch is. */
  moveTo(device: Device): void {
    for (const state of this.#states.values()) {
      // All of them are where the first and the last one are; to ask each would take longer the more there are.
      const ends = [state.items[0], state.items.at(-1)];
      if (ends.some((item) => item !== undefined && item.device !== device)) replace(state, state.items.map((item) => item.to(device))); // prettier-ignore
    }
  }

  reset(): void {
    this.#updates = 0;
    for (const state of this.#states.values()) replace(state, state.initial === undefined ? [] : [state.initial.clone()]); // prettier-ignore
  }

  /** Takes in what another of the same metric has. */
  merge(other: States): void {
    this.#updates += other.#updates;
    for (const [name, state] of this.#states) {
      const { items } = other.#named(name);
      if (state.reduction === 'cat') for (const item of items) this.append(name, item);
      else replace(state, [mergeOf(state.reduction)(state.items[0]!, items[0]!.to(state.items[0]!.device))]);
    }
  }

  save(): MetricState {
    const copies = [...this.#states].map(([name, { reduction, items }]) => {
      const own = items.map((item) => item.clone());
      return [name, reduction === 'cat' ? own : own[0]!] as const;
    });
    return { updates: this.#updates, states: Object.fromEntries(copies) };
  }

  /** Remembers where they are, without copying what has grown; calling the result takes back what was added since. */
  mark(): () => void {
    const updates = this.#updates;
    const marks = [...this.#states.values()].map((state) => ({
      state,
      length: state.items.length,
      value: state.initial === undefined ? undefined : state.items[0]!.clone(),
    }));
    return () => {
      this.#updates = updates;
      for (const { state, length, value } of marks) {
        if (value !== undefined) replace(state, [value]);
        else for (const added of state.items.splice(length)) added.dispose();
      }
    };
  }

  /** Takes what `save` gave; throws STATE_DICT_MISMATCH, and then nothing is changed. */
  restore({ updates, states }: MetricState): void {
    const expected = [...this.#states.keys()];
    const given = Object.keys(states);
    if (expected.length !== given.length || !expected.every((name) => given.includes(name))) {
      throw mismatch(`the states ${expected.join(', ')}`, given.join(', '));
    }
    for (const [name, { initial }] of this.#states) {
      const value = states[name]!;
      if (Array.isArray(value) === (initial !== undefined)) throw mismatch(`'${name}' as it was saved`, typeof value);
      if (initial === undefined || Array.isArray(value)) continue;
      if (String(value.shape) !== String(initial.shape)) {
        throw mismatch(`'${name}' of shape [${initial.shape.join(', ')}]`, `[${value.shape.join(', ')}]`);
      }
    }
    this.#updates = updates;
    for (const [name, state] of this.#states) replace(state, [states[name]!].flat().map((item) => item.detach().clone())); // prettier-ignore
  }

  /** The states of each rank, in their order, the same on every rank. Ranks without a batch take part. */
  async ofRanks(group: Gathers): Promise<MetricState[]> {
    const counts = await group.allGather(tensor([this.#updates], { dtype: 'int64' }));
    const ranks = counts.map((count): MetricState => ({ updates: Number(count.item()), states: {} }));
    for (const [name, { reduction, initial, items }] of this.#states) {
      const own = items.length === 0 ? undefined : scope(() => cat(items.map(atLeast1d)));
      const all = await gatherAny(group, own);
      ranks.forEach(({ states }, rank) => {
        const given = all[rank];
        if (reduction === 'cat') states[name] = given === undefined ? [] : [given];
        else states[name] = given!.reshape(initial!.shape);
      });
    }
    return ranks;
  }

  /** Every tensor that it holds. */
  *tensors(): Generator<Tensor> {
    for (const { initial, items } of this.#states.values()) {
      if (initial !== undefined) yield initial;
      yield* items;
    }
  }

  #swap(other: States): void {
    [this.#updates, other.#updates] = [other.#updates, this.#updates];
    for (const [name, state] of this.#states) {
      const theirs = other.#named(name);
      [state.items, theirs.items] = [theirs.items, state.items];
    }
  }

  #named(name: string): State {
    const state = this.#states.get(name);
    if (state !== undefined) return state;
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `A metric has no state '${name}'; addState defines one. It has ${[...this.#states.keys()].join(', ') || 'none'}.`,
    );
  }
}

const mismatch = (expected: string, got: string) =>
  new AiforgeError('STATE_DICT_MISMATCH', `loadStateDict: expected ${expected}, got ${got}.`);

const atLeast1d = (item: Tensor): Tensor => (item.ndim === 0 ? item.reshape([1]) : item);

function replace(state: State, items: Tensor[]): void {
  const old = state.items;
  state.items = items.map((item) => keep(item.detach()));
  for (const item of old) if (!state.items.includes(item)) item.dispose();
}

const MOST_DIMS = 8;

/** What a rank is about to give: whether anything, its dtype, and its sizes. */
function header(own: Tensor | undefined): Tensor {
  const shape = own?.shape ?? [];
  const numbers = [own === undefined ? -1 : dtypes.indexOf(own.dtype), shape.length, ...shape];
  return tensor([...numbers, ...new Array<number>(2 + MOST_DIMS - numbers.length).fill(0)], { dtype: 'int64' });
}

/** Tensors of any sizes from all ranks; undefined of those that have none. */
async function gatherAny(group: Gathers, own: Tensor | undefined): Promise<(Tensor | undefined)[]> {
  const headers = (await group.allGather(header(own))).map((each) => each.tolist<number[]>());
  const isGiven = headers.map(([dtype]) => dtype !== -1);
  const dtype = headers[isGiven.indexOf(true)]?.[0];
  if (dtype === undefined) return headers.map(() => undefined);
  const shapes = headers.map(([, ndim, ...sizes]) => sizes.slice(0, ndim));
  const counts = shapes.map((shape, rank) => (isGiven[rank] ? shape.reduce((a, b) => a * b, 1) : 0));
  const sent = zeros([Math.max(...counts)], { dtype: dtypes[dtype]! });
  if (own !== undefined) sent.narrow(0, 0, own.numel()).copy_(own.flatten());
  const all = await group.allGather(sent);
  return all.map((flat, rank) => (isGiven[rank] ? flat.narrow(0, 0, counts[rank]!).reshape(shapes[rank]!) : undefined));
}
