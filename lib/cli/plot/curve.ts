/** A point of a curve; a `y` that is not finite is a gap. */
export type Point = readonly [x: number, y: number];

export interface Curve {
  name: string;
  /** By ascending `x`. */
  points: readonly Point[];
}

/**
 * The pieces of a curve between its gaps, with one point for each of `columns` places between `least` and `most`: the mean of
 * those that fall there, of many steps on a narrow terminal.
 */
export function piecesOf({ points }: Curve, least: number, most: number, columns: number): Point[][] {
  const pieces: Point[][] = [[]];
  let bin: { column: number; points: Point[] } | undefined;
  const close = () => {
    const finite = bin?.points.filter(([, y]) => Number.isFinite(y)) ?? [];
    if (finite.length > 0) pieces.at(-1)!.push([mean(finite, 0), mean(finite, 1)]);
    else if (bin !== undefined) pieces.push([]);
  };
  for (const point of points) {
    const column = most > least ? Math.round(((point[0] - least) / (most - least)) * (columns - 1)) : 0;
    if (bin?.column === column) {
      bin.points.push(point);
      continue;
    }
    close();
    bin = { column, points: [point] };
  }
  close();
  return pieces.filter((piece) => piece.length > 0);
}

const mean = (points: readonly Point[], of: 0 | 1): number =>
  points.reduce((sum, point) => sum + point[of] / points.length, 0);

/** How many of a curve's values cannot be drawn. */
export const gapsIn = ({ points }: Curve): number => points.filter(([, y]) => !Number.isFinite(y)).length;
