// Random numbers that a seed repeats: mulberry32.

/** A number for any parts, so that each case draws from a stream of its own. */
export function hash(...parts) {
  let value = 0x811c9dc5;
  for (const char of parts.join('\u0000')) value = Math.imul(value ^ char.codePointAt(0), 0x01000193);
  return value >>> 0;
}

export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** In 0 … 1, without 1. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let value = this.#state;
    value = Math.imul(value ^ (value >>> 15), value | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number in low … high, both included. */
  int(low, high) {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability) {
    return this.next() < probability;
  }

  pick(items) {
    return items[this.int(0, items.length - 1)];
  }

  /** `weights` is a list of [weight, item]. */
  weighted(weights) {
    let at = this.next() * weights.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, item] of weights) if ((at -= weight) < 0) return item;
    return weights.at(-1)[1];
  }

  list(length, item) {
    return Array.from({ length }, (_, i) => item(i));
  }

  normal() {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  shuffled(items) {
    const result = [...items];
    for (let i = result.length - 1; i > 0; --i) {
      const j = this.int(0, i);
      [result[i], result[j]] = [result[j], result[i]];
    }
    return result;
  }
}
