// Other libraries' words for the same thing, as `fold` leaves them.
const synonyms: Readonly<Record<string, readonly string[]>> = {
  axis: ['dim'],
  dim: ['axis'],
  learningrate: ['lr'],
  lr: ['learningRate'],
  wd: ['weightDecay'],
  l2: ['weightDecay'],
  beta: ['betas', 'delta'],
  delta: ['beta'],
  epsilon: ['eps'],
  rate: ['p'],
  probability: ['p'],
  units: ['outFeatures'],
  filters: ['outChannels'],
  activation: ['nonlinearity'],
  keepprob: ['p'],
  graceseconds: ['shutdownTimeout'],
  nprocpernode: ['nproc'],
  processgroup: ['group'],
};

/**
 * The candidate closest to `name` by edit distance, or undefined when none is close. Case, `_` and `-` count for nothing,
 * so `batch_size` finds `batchSize`; a beginning counts as close, so `warning` finds `warn`, and so does another library's
 * word for it, so `axis` finds `dim`.
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const all = [...candidates];
  const wanted = fold(name);
  const words = Object.hasOwn(synonyms, wanted) ? synonyms[wanted]! : [];
  const synonym = words.find((each) => all.includes(each));
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of all) {
    const folded = fold(candidate);
    const distance = isBeginning(wanted, folded) ? 1 : editDistance(wanted, folded);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return bestDistance === 0 ? best : (synonym ?? best);
}

/** The candidates, those first that are most like a name. */
export function closest(name: string, candidates: readonly string[]): string[] {
  const wanted = fold(name);
  return candidates
    .map((candidate) => ({ candidate, distance: editDistance(wanted, fold(candidate)) }))
    .sort((a, b) => a.distance - b.distance)
    .map(({ candidate }) => candidate);
}

/** ` Did you mean 'x'?` for the nearest candidate (with the leading space), or an empty string. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const match = nearest(name, candidates);
  return match === undefined ? '' : ` Did you mean '${match}'?`;
}

/**
 * Whether two names are one to whoever wrote them: alike but for case, `_` and `-`, or with a slip in six letters or two in
 * twelve. Stricter than `nearest`, for where a name that is only similar may be meant.
 */
export function isSlipOf(name: string, known: string): boolean {
  const [a, b] = [fold(name), fold(known)];
  return a === b || editDistance(a, b) <= Math.min(2, Math.floor(Math.min(a.length, b.length) / 6));
}

/** A name without what counts for nothing in a comparison: case, `_` and `-`. */
export function fold(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '');
}

function isBeginning(a: string, b: string): boolean {
  return a !== b && Math.min(a.length, b.length) >= 3 && (a.startsWith(b) || b.startsWith(a));
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment) that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let distance = Math.min(substitution, previous[j]! + 1, current[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        distance = Math.min(distance, beforePrevious[j - 2]! + 1);
      }
      current.push(distance);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length]!;
}
