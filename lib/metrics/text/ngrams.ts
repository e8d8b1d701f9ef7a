/** How often runs of tokens occur. */
export type Counts = Map<string, number>;

/** How often each run of `length` tokens occurs. */
export function ngrams(tokens: readonly string[], length: number): Counts {
  const counts: Counts = new Map();
  for (let i = 0; i + length <= tokens.length; ++i) {
    // Tokens may have any character in them.
    const key = JSON.stringify(tokens.slice(i, i + length));
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** How many runs two texts have in common. */
export function overlap(one: Counts, other: Counts): number {
  let common = 0;
  for (const [key, count] of one) common += Math.min(count, other.get(key) ?? 0);
  return common;
}
