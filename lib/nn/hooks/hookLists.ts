import type { Module } from '../module.js';
import { HookOrder } from './hookOrder.js';

interface Entry<Hook> {
  readonly hook: Hook;
  readonly alwaysCall: boolean;
}

export interface HookOptions {
  /** Runs it before the hooks that are there, not after them. Default: false. */
  prepend?: boolean;
}

export interface ForwardHookOptions extends HookOptions {
  /** Runs it also when `forward` or another hook throws. Default: false. */
  alwaysCall?: boolean;
}

/** Hooks of one kind in the order in which they run: those that run may add and remove others. */
export class HookList<Hook> implements Iterable<Hook> {
  readonly entries: HookOrder<Entry<Hook>>;

  constructor(entries: Iterable<Entry<Hook>> = []) {
    this.entries = new HookOrder(entries);
  }

  get size(): number {
    return this.entries.size;
  }

  add(hook: Hook, { prepend = false, alwaysCall = false }: ForwardHookOptions): Entry<Hook> {
    const entry = { hook, alwaysCall };
    this.entries.add(entry, prepend);
    return entry;
  }

  removeHook(hook: Hook): void {
    for (const entry of this.entries) if (entry.hook === hook) this.entries.remove(entry);
  }

  copy(): HookList<Hook> {
    return new HookList(this.entries);
  }

  *[Symbol.iterator](): Iterator<Hook> {
    for (const { hook } of this.entries) yield hook;
  }
}

/** What the hooks of all modules have in common. */
export type AnyHook = (module: never, ...rest: never[]) => unknown;

const kinds = [
  'forwardPre',
  'forward',
  'backwardPre',
  'backward',
  'stateDictPre',
  'stateDictPost',
  'loadPre',
  'loadPost',
] as const;

export type HookKind = (typeof kinds)[number];

/** The kinds that run when a module is called. */
export const wrappingKinds: readonly HookKind[] = ['forwardPre', 'forward', 'backwardPre', 'backward'];

/** The hooks of one module. */
export class ModuleHooks {
  readonly lists: Readonly<Record<HookKind, HookList<AnyHook>>>;
  /** A `forward` that is a property of the module itself, while the one with hooks stands in its place. */
  ownForward: PropertyDescriptor | null = null;

  constructor(from?: ModuleHooks) {
    const entries = kinds.map((kind) => [kind, from === undefined ? new HookList() : from.lists[kind].copy()] as const);
    this.lists = Object.fromEntries(entries) as Record<HookKind, HookList<AnyHook>>;
    this.ownForward = from?.ownForward ?? null;
  }

  get wrapForward(): boolean {
    return wrappingKinds.some((kind) => this.lists[kind].size > 0);
  }
}

/**
 * What registering a hook gives: `remove()`, or the end of a `using` block, takes the hook away. As
 * `torch.utils.hooks.RemovableHandle`.
 *
 * @example
 * import { nn, ones } from 'aiforge';
 * const layer = new nn.Identity();
 * const handle = layer.registerForwardHook((module, args, output) => output.mul(2));
 * layer.forward(ones([2])).tolist(); // [2, 2]
 * handle.remove();
 * layer.forward(ones([2])).tolist(); // [1, 1]
 */
export class ModuleHookHandle implements Disposable {
  private readonly take: () => void;

  /** @internal */
  constructor(take: () => void) {
    this.take = take;
  }

  /** Takes the hook away; nothing happens when it is gone already. */
  remove(): void {
    this.take();
  }

  [Symbol.dispose](): void {
    this.remove();
  }
}

/** Something that a hook of a module is called with; `Module` itself has no types for its arguments. */
export type ForwardArguments<M extends Module> =
  never[] extends Parameters<M['forward']> ? unknown[] : Parameters<M['forward']>;
