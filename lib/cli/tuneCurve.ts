interface CurveOptions {
  suggestion: number | null;
  isLinear: boolean;
}

const width = 60;
const height = 12;

/** Losses over learning rates as lines of text: `*` is a loss, `o` the suggestion. */
export function lossCurve(
  rates: readonly number[],
  losses: readonly number[],
  { suggestion, isLinear }: CurveOptions,
): string[] {
  const finite = losses.filter(Number.isFinite);
  if (finite.length === 0) return ['(no loss is a finite number)'];
  // What diverged would press all else to the bottom line.
  const low = Math.min(...finite);
  const high = Math.min(Math.max(...finite), low + 2 * (finite[0]! - low) || Infinity);
  const [first, last] = [rates[0]!, rates.at(-1)!];
  const scale = (rate: number): number => (isLinear ? rate : Math.log10(rate));
  const span = scale(last) - scale(first);
  const rows = Array.from({ length: height }, () => Array<string>(width).fill(' '));
  const put = (rate: number, loss: number, mark: string): void => {
    const column = span === 0 ? 0 : Math.round(((scale(rate) - scale(first)) / span) * (width - 1));
    const share = high === low ? 0 : (Math.min(loss, high) - low) / (high - low);
    rows[Math.round((1 - share) * (height - 1))]![column] = mark;
  };
  rates.forEach((rate, i) => Number.isFinite(losses[i]) && put(rate, losses[i]!, '*'));
  if (suggestion !== null) put(suggestion, losses[rates.indexOf(suggestion)]!, 'o');
  const labels = new Map([
    [0, high.toPrecision(4)],
    [height - 1, low.toPrecision(4)],
  ]);
  const margin = Math.max(...[...labels.values()].map(({ length }) => length));
  const [left, right] = [first.toPrecision(3), last.toPrecision(3)];
  return [
    ...rows.map((row, i) => `${(labels.get(i) ?? '').padStart(margin)} |${row.join('')}`.trimEnd()),
    `${' '.repeat(margin)} +${'-'.repeat(width)}`,
    `${' '.repeat(margin + 2)}${left}${right.padStart(width - left.length)}`,
  ];
}
