/** Steps at the beginning and at the end that say little: the average has just begun, or the loss has just exploded. */
export const skippedFirst = 10;
export const skippedLast = 1;

/** The rate at which losses fall most steeply from step to step; null where there are too few finite ones to say. */
export function suggestedRate(rates: readonly number[], losses: readonly number[]): number | null {
  const considered = losses.slice(skippedFirst, losses.length - skippedLast);
  const places = considered.flatMap((loss, i) => (Number.isFinite(loss) ? [i + skippedFirst] : []));
  if (places.length < 2) return null;
  const slopes = gradient(places.map((place) => losses[place]!));
  return rates[places[slopes.indexOf(Math.min(...slopes))]!]!;
}

/** Central differences, and those of one side at the ends, as `numpy.gradient`. */
function gradient(values: readonly number[]): number[] {
  return values.map((value, i) => {
    const [before, after] = [values[i - 1], values[i + 1]];
    if (before === undefined) return after! - value;
    return after === undefined ? value - before : (after - before) / 2;
  });
}
