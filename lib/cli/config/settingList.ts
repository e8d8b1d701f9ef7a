import type { Origin } from '../../config/origin.js';

type Path = readonly (string | number)[];

/** A setting of a resolved configuration: a value, or a list or mapping of them that was given as one. */
export interface ResolvedSetting {
  path: Path;
  value: unknown;
  /** Where it was given; undefined for a default. */
  origin: Origin | undefined;
}

type OriginAt = (path: Path) => Origin | undefined;

/** The entries of a value that have origins of their own: those of a mapping, and those of a list of more than plain values. */
export function entriesOf(value: unknown, path: Path, originAt: OriginAt): [Path, unknown][] {
  if (typeof value !== 'object' || value === null) return [];
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined) as [string, unknown][];
  if (!Array.isArray(value)) return entries.map(([key, entry]) => [[...path, key], entry]);
  const origin = JSON.stringify(placeless(originAt(path)));
  const isPlain = value.every(
    (entry, index) =>
      (typeof entry !== 'object' || entry === null) &&
      JSON.stringify(placeless(originAt([...path, index]) ?? originAt(path))) === origin,
  );
  return isPlain ? [] : value.map((entry, index) => [[...path, index], entry]);
}

/** Elements of one list in a file have places of their own, and one origin. */
function placeless(origin: Origin | undefined): unknown {
  return origin && { file: origin.file, variables: origin.variables, override: origin.override };
}

/** Every setting of a configuration, in its order. */
export function settingsOf(value: unknown, originAt: OriginAt, path: Path = []): ResolvedSetting[] {
  const entries = entriesOf(value, path, originAt);
  if (entries.length === 0) return [{ path, value, origin: originAt(path) }];
  return entries.flatMap(([at, entry]) => settingsOf(entry, originAt, at));
}
