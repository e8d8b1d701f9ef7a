/** The first value of a list that stood there before; undefined where each stands there once. */
export function firstRepeated<T>(list: Iterable<T>): T | undefined {
  const seen = new Set<T>();
  for (const value of list) {
    if (seen.has(value)) return value;
    seen.add(value);
  }
  return undefined;
}
