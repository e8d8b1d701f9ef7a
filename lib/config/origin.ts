import type { Variable } from './environmentText.js';

/** A place in a text: line and column, from 1. */
export interface Place {
  line: number;
  column: number;
}

/** Where a value of a configuration was given: in a file, by variables that stand in the file, or as an override. */
export interface Origin {
  /** As it was given, or relative to the working directory. */
  file?: string;
  /** Where its key and its value stand; a module has no places. */
  key?: Place;
  value?: Place;
  /** The environment variables that the value is made of. */
  variables?: readonly Variable[];
  /** The override, as it was given. */
  override?: string;
  /** A text that is to be read by the schema of its setting, and what it is taken for until that is known. */
  given?: { text: string; guess: unknown };
  /** Why there is no value. */
  problem?: string;
}

type Path = readonly PropertyKey[];

/** An origin in words, such as `experiments/spam.yaml:12:5`; of a mapping's entry the place of its key or that of its value. */
export function showOrigin(origin: Origin, part: 'key' | 'value' = 'value'): string {
  if (origin.override !== undefined) return `override '${origin.override}'`;
  const place = (part === 'key' ? origin.key : undefined) ?? origin.value;
  const file = `${origin.file}${place === undefined ? '' : `:${place.line}:${place.column}`}`;
  const { variables = [] } = origin;
  if (variables.length === 0) return file;
  const names = variables.map(({ name, isSet }) => (isSet ? name : `${name} (not set)`));
  return `${file}, environment variable${names.length > 1 ? 's' : ''} ${names.join(', ')}`;
}

export const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isContainer = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** The origin of each entry of each mapping and list in a tree of plain data. */
export class Origins {
  readonly #entries = new WeakMap<object, Map<string, Origin>>();

  get(container: object, key: PropertyKey): Origin | undefined {
    return this.#entries.get(container)?.get(String(key));
  }

  set(container: object, key: PropertyKey, origin: Origin): void {
    const entries = this.#entries.get(container) ?? new Map<string, Origin>();
    this.#entries.set(container, entries.set(String(key), origin));
  }

  /** Gives every entry within a value its origin. */
  mark(value: unknown, originAt: (path: Path) => Origin, under: Path = []): void {
    if (!isContainer(value)) return;
    for (const [key, entry] of Object.entries(value)) {
      const path = [...under, key];
      this.set(value, key, originAt(path));
      this.mark(entry, originAt, path);
    }
  }

  /** The origin of what stands at a path, or of the nearest that it stands in, and whether it is the former. */
  find(root: unknown, path: Path): { origin: Origin; isExact: boolean } | undefined {
    let found: { origin: Origin; isExact: boolean } | undefined;
    let current = root;
    for (const [index, key] of path.entries()) {
      if (!isContainer(current) || !Object.hasOwn(current, key)) break;
      const origin = this.get(current, key);
      if (origin !== undefined) found = { origin, isExact: index === path.length - 1 };
      current = current[key as string];
    }
    return found;
  }

  /** Every entry of a tree that has an origin, with its path. */
  *entries(
    value: unknown,
    under: Path = [],
  ): Generator<{ container: object; key: string; path: Path; origin: Origin }> {
    if (!isContainer(value)) return;
    for (const [key, entry] of Object.entries(value)) {
      const path = [...under, Array.isArray(value) ? Number(key) : key];
      const origin = this.get(value, key);
      if (origin !== undefined) yield { container: value, key, path, origin };
      yield* this.entries(entry, path);
    }
  }
}
