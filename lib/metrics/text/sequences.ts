/**
 * The least cost to make one list of tokens of another, after Levenshtein, where inserting and deleting a token cost 1 and
 * replacing one `substitutionCost`.
 */
export function editDistance(from: readonly string[], to: readonly string[], substitutionCost = 1): number {
  let above = Array.from({ length: to.length + 1 }, (_, j) => j);
  let row = [...above];
  for (let i = 1; i <= from.length; ++i) {
    row[0] = i;
    for (let j = 1; j <= to.length; ++j) {
      const replaced = above[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : substitutionCost);
      row[j] = Math.min(replaced, above[j]! + 1, row[j - 1]! + 1);
    }
    [above, row] = [row, above];
  }
  return above[to.length]!;
}

/** The lengths of the longest common subsequences of all beginnings of two lists: `[i][j]` is that of i and j tokens. */
function commonLengths(one: readonly string[], other: readonly string[]): Uint32Array[] {
  const lengths = Array.from({ length: one.length + 1 }, () => new Uint32Array(other.length + 1));
  for (let i = 1; i <= one.length; ++i) {
    const [above, row] = [lengths[i - 1]!, lengths[i]!];
    for (let j = 1; j <= other.length; ++j) {
      row[j] = one[i - 1] === other[j - 1] ? above[j - 1]! + 1 : Math.max(above[j]!, row[j - 1]!);
    }
  }
  return lengths;
}

/** How many tokens the longest common subsequence of two lists has. */
export function commonLength(one: readonly string[], other: readonly string[]): number {
  return commonLengths(one, other)[one.length]![other.length]!;
}

/** The places in `one` of a longest common subsequence with `other`. Of several it is the last in `other`. */
export function commonPlaces(one: readonly string[], other: readonly string[]): number[] {
  const lengths = commonLengths(one, other);
  const places: number[] = [];
  let [i, j] = [one.length, other.length];
  while (i > 0 && j > 0) {
    if (one[i - 1] === other[j - 1]) {
      places.push(i - 1);
      [i, j] = [i - 1, j - 1];
    } else if (lengths[i]![j - 1]! > lengths[i - 1]![j]!) --j;
    else --i;
  }
  return places;
}
