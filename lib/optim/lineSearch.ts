import type { Tensor } from '../tensor/tensor.js';
import { absolute, greatest, isAtMost, isLess, least, minus, over, plus, times, type Scalar } from './scalars.js';

/** A point on the line: how far along, the loss, the gradient, and the loss's slope along the line. */
interface Point {
  t: Scalar;
  loss: number;
  gradient: Tensor;
  slope: Tensor;
}

/** The lowest point of the cubic through two points, within bounds. */
function interpolate(a: Point, b: Point, bounds?: readonly [Scalar, Scalar]): Scalar {
  const [low, high] = bounds ?? (isAtMost(a.t, b.t) ? [a.t, b.t] : [b.t, a.t]);
  const d1 = minus(plus(a.slope, b.slope), over(times(3, minus(a.loss, b.loss)), minus(a.t, b.t))) as Tensor;
  const square = d1.pow(2).sub(a.slope.mul(b.slope));
  if (!isAtMost(0, square)) return over(plus(low, high), 2);
  const d2 = square.sqrt();
  const [left, right] = isAtMost(a.t, b.t) ? [a, b] : [b, a];
  const share = right.slope
    .add(d2)
    .sub(d1)
    .div(right.slope.sub(left.slope).add(d2.mul(2)));
  return least(greatest(minus(right.t, times(minus(right.t, left.t), share)), low), high);
}

const copied = (point: Point): Point => ({ ...point, gradient: point.gradient.clone() });

export interface LineSearch {
  /** The loss and the gradient at t along the direction. */
  evaluate(t: Scalar): { loss: number; gradient: Tensor };
  direction: Tensor;
  /** Where it begins. */
  t: Scalar;
  loss: number;
  gradient: Tensor;
  slope: Tensor;
  toleranceChange: number;
  maxEvaluations: number;
}

/** Where it ended, and how often it evaluated. */
export interface Found {
  t: Scalar;
  loss: number;
  gradient: Tensor;
  evaluations: number;
}

const C1 = 1e-4;
const C2 = 0.9;

/** A step that meets the strong Wolfe conditions, or the best that was found. */
export function strongWolfe(search: LineSearch): Found {
  return new StrongWolfe(search).run();
}

class StrongWolfe {
  readonly #search: LineSearch;
  readonly #start: Point;
  #evaluations = 0;
  #iteration = 0;
  #isDone = false;

  constructor(search: LineSearch) {
    this.#search = search;
    this.#start = { t: 0, loss: search.loss, gradient: search.gradient.clone(), slope: search.slope };
  }

  run(): Found {
    const bracket = this.#findBracket();
    let low = bracket.length === 1 || isAtMost(bracket[0].loss, bracket[1].loss) ? 0 : 1;
    if (bracket.length === 2) low = this.#narrow(bracket, low);
    const { loss, gradient, t } = bracket[low]!;
    return { loss, gradient, t, evaluations: this.#evaluations };
  }

  #at(t: Scalar): Point {
    const { loss, gradient } = this.#search.evaluate(t);
    ++this.#evaluations;
    return { t, loss, gradient, slope: gradient.dot(this.#search.direction) };
  }

  #isTooHigh({ t, loss }: Point): boolean {
    return isLess(plus(this.#start.loss, times(times(C1, t), this.#start.slope)), loss);
  }

  #isFlat({ slope }: Point): boolean {
    return isAtMost(absolute(slope), times(this.#start.slope, -C2));
  }

  // Goes on until the lowest point lies between two.
  #findBracket(): [Point] | [Point, Point] {
    const { maxEvaluations } = this.#search;
    let previous = this.#start;
    let point = this.#at(this.#search.t);
    while (this.#iteration < maxEvaluations) {
      if (this.#isTooHigh(point) || (this.#iteration > 1 && isAtMost(previous.loss, point.loss))) {
        return [previous, copied(point)];
      }
      if (this.#isFlat(point)) {
        this.#isDone = true;
        return [point];
      }
      if (isAtMost(0, point.slope)) return [previous, copied(point)];
      const least = plus(point.t, times(0.01, minus(point.t, previous.t)));
      const t = interpolate(previous, point, [least, times(point.t, 10)]);
      previous = copied(point);
      point = this.#at(t);
      ++this.#iteration;
    }
    return [this.#start, point];
  }

  // Halves the bracket in effect; which end is the lower.
  #narrow(bracket: [Point, Point], start: number): number {
    let low = start;
    let isStalled = false;
    const { direction, toleranceChange, maxEvaluations } = this.#search;
    const size = direction.abs().max();
    while (!this.#isDone && this.#iteration < maxEvaluations) {
      const [a, b] = bracket;
      if (isLess(times(absolute(minus(b.t, a.t)), size), toleranceChange)) break;
      let t = interpolate(a, b);
      ({ t, isStalled } = awayFromEnds(t, a.t, b.t, isStalled));
      const point = this.#at(t);
      ++this.#iteration;
      low = this.#replace(bracket, low, point);
    }
    return low;
  }

  #replace(bracket: [Point, Point], low: number, point: Point): number {
    const high = 1 - low;
    if (this.#isTooHigh(point) || isAtMost(bracket[low]!.loss, point.loss)) {
      bracket[high] = copied(point);
      return isAtMost(bracket[0].loss, bracket[1].loss) ? 0 : 1;
    }
    if (this.#isFlat(point)) this.#isDone = true;
    else if (isAtMost(0, times(point.slope, minus(bracket[high]!.t, bracket[low]!.t)))) bracket[high] = bracket[low]!;
    bracket[low] = copied(point);
    return low;
  }
}

// A step that is twice too near to an end of the bracket is moved away from it.
function awayFromEnds(t: Scalar, a: Scalar, b: Scalar, isStalled: boolean): { t: Scalar; isStalled: boolean } {
  const [most, fewest] = [greatest(a, b), least(a, b)];
  const margin = times(0.1, minus(most, fewest));
  if (!isLess(least(minus(most, t), minus(t, fewest)), margin)) return { t, isStalled: false };
  if (!isStalled && isLess(t, most) && isLess(fewest, t)) return { t, isStalled: true };
  const isNearTop = isLess(absolute(minus(t, most)), absolute(minus(t, fewest)));
  return { t: isNearTop ? minus(most, margin) : plus(fewest, margin), isStalled: false };
}
