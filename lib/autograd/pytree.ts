import { checkDepth } from '../depth.js';
import { isMap, isPlainObject } from '../realms.js';
import { itemNames } from '../tensor/calls/results.js';

/** The shape of nested containers around their leaves: arrays, plain objects and maps are containers. */
export type TreeSpec =
  | { readonly kind: 'leaf' }
  | { readonly kind: 'array'; readonly names: readonly [name: string, index: number][]; readonly items: TreeSpec[] }
  | { readonly kind: 'object' | 'map'; readonly keys: readonly unknown[]; readonly items: TreeSpec[] };

export interface FlatTree {
  leaves: unknown[];
  spec: TreeSpec;
}

const leaf: TreeSpec = { kind: 'leaf' };

// A named result (`values`, `indices`) is an array whose items have names as well.
function namesOf(array: readonly unknown[]): [string, number][] {
  const ofTuple = Reflect.get(array, itemNames) as [string, number][] | undefined;
  if (ofTuple !== undefined) return ofTuple;
  const own = Object.getOwnPropertyNames(array);
  if (own.length === array.length + 1) return [];
  return own
    .filter((name) => name !== 'length' && !/^\d+$/.test(name))
    .map((name): [string, number] => [name, array.indexOf(Reflect.get(array, name))])
    .filter(([, index]) => index >= 0);
}

function specOf(tree: unknown, leaves: unknown[], depth = 0): TreeSpec {
  checkDepth(depth, 'a structure of tensors');
  const inner = (item: unknown): TreeSpec => specOf(item, leaves, depth + 1);
  if (Array.isArray(tree)) {
    // Unlike `map`, which passes holes by.
    return { kind: 'array', names: namesOf(tree), items: Array.from(tree, inner) };
  }
  if (isMap(tree)) {
    return { kind: 'map', keys: [...tree.keys()], items: [...tree.values()].map(inner) };
  }
  if (isPlainObject(tree)) {
    return { kind: 'object', keys: Object.keys(tree), items: Object.values(tree).map(inner) };
  }
  leaves.push(tree);
  return leaf;
}

/** The leaves of nested arrays, plain objects and maps, in order, and what is around them. */
export function flattenTree(tree: unknown): FlatTree {
  const leaves: unknown[] = [];
  const spec = specOf(tree, leaves);
  return { leaves, spec };
}

function build(spec: TreeSpec, next: () => unknown): unknown {
  if (spec.kind === 'leaf') return next();
  const items = spec.items.map((item) => build(item, next));
  if (spec.kind === 'array') {
    for (const [name, index] of spec.names) Object.defineProperty(items, name, { value: items[index] });
    return items;
  }
  const entries = spec.keys.map((key, i): [unknown, unknown] => [key, items[i]]);
  return spec.kind === 'map' ? new Map(entries) : Object.fromEntries(entries as [string, unknown][]);
}

/** The containers of `spec` around other leaves. */
export function unflattenTree(leaves: readonly unknown[], spec: TreeSpec): unknown {
  let at = 0;
  return build(spec, () => leaves[at++]);
}

export function mapTree(tree: unknown, change: (leaf: unknown) => unknown): unknown {
  const { leaves, spec } = flattenTree(tree);
  return unflattenTree(leaves.map(change), spec);
}

function sameKeys(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((key) => b.includes(key));
}

export function sameStructure(a: TreeSpec, b: TreeSpec): boolean {
  if (a.kind === 'leaf' || b.kind === 'leaf') return a.kind === b.kind;
  if (a.kind !== b.kind || a.items.length !== b.items.length) return false;
  if (a.kind !== 'array' && b.kind !== 'array' && !a.keys.every((key, i) => key === b.keys[i])) return false;
  return a.items.every((item, i) => sameStructure(item, b.items[i]!));
}

function countLeaves(spec: TreeSpec): number {
  return spec.kind === 'leaf' ? 1 : spec.items.reduce((sum, item) => sum + countLeaves(item), 0);
}

/** One value for each leaf of `spec`: a value stands for all leaves below its place. Undefined where `tree` does not fit. */
export function broadcastTree(tree: unknown, spec: TreeSpec): unknown[] | undefined {
  const own = specOf(tree, []);
  if (own.kind === 'leaf') return new Array<unknown>(countLeaves(spec)).fill(tree);
  if (own.kind !== spec.kind || own.items.length !== spec.items.length) return undefined;
  if (own.kind !== 'array' && spec.kind !== 'array' && !sameKeys(own.keys, spec.keys)) return undefined;
  const keys = spec.kind === 'array' ? spec.items.map((_, i) => i) : spec.keys;
  const child = (key: unknown): unknown =>
    isMap(tree) ? tree.get(key) : Reflect.get(tree as object, key as PropertyKey);
  const parts = spec.items.map((item, i) => broadcastTree(child(keys[i]), item));
  return parts.includes(undefined) ? undefined : (parts as unknown[][]).flat();
}

/** A structure in an error message: `[*, { a: * }]`. */
export function describeTree(spec: TreeSpec): string {
  if (spec.kind === 'leaf') return '*';
  if (spec.kind === 'array') return `[${spec.items.map(describeTree).join(', ')}]`;
  const entries = spec.items.map((item, i) => `${String(spec.keys[i])}: ${describeTree(item)}`).join(', ');
  return spec.kind === 'map' ? `Map { ${entries} }` : `{ ${entries} }`;
}
