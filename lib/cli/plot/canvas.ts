/** The dots of a braille character, by row and column, as bits (Unicode, block Braille Patterns). */
const bits = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;
const blank = 0x2800;

export const dotsAcross = 2;
export const dotsDown = 4;

/** What a character of a canvas shows, and of which curve; no curve where it is empty. */
export interface Cell {
  text: string;
  curve: number | undefined;
}

/** Characters of a terminal as a grid of dots, 2 across and 4 down in each, from the top left. */
export class Canvas {
  readonly #dots: Uint8Array;
  readonly #curves: Int16Array;
  readonly #marks: (string | undefined)[];

  constructor(
    readonly columns: number,
    readonly rows: number,
  ) {
    this.#dots = new Uint8Array(columns * rows);
    this.#curves = new Int16Array(columns * rows).fill(-1);
    this.#marks = new Array<string | undefined>(columns * rows);
  }

  /** Sets a dot; its character belongs to the curve that came last. */
  dot(x: number, y: number, curve: number): void {
    const cell = this.#cellAt(x, y);
    this.#dots[cell]! |= bits[y % dotsDown]![x % dotsAcross]!;
    this.#curves[cell] = curve;
  }

  /** Puts a character where a dot is. */
  mark(x: number, y: number, curve: number, text: string): void {
    const cell = this.#cellAt(x, y);
    this.#marks[cell] = text;
    this.#curves[cell] = curve;
  }

  /** Sets the dots between two, both included (Bresenham 1965). */
  line([x, y]: readonly [number, number], [toX, toY]: readonly [number, number], curve: number): void {
    const [across, down] = [Math.abs(toX - x), -Math.abs(toY - y)];
    const [stepX, stepY] = [Math.sign(toX - x), Math.sign(toY - y)];
    let error = across + down;
    for (let [atX, atY] = [x, y]; ;) {
      this.dot(atX, atY, curve);
      if (atX === toX && atY === toY) return;
      const twice = 2 * error;
      if (twice >= down) [error, atX] = [error + down, atX + stepX];
      if (twice <= across) [error, atY] = [error + across, atY + stepY];
    }
  }

  /** Its characters, row by row. */
  cells(): Cell[][] {
    return Array.from({ length: this.rows }, (_, row) =>
      Array.from({ length: this.columns }, (_, column) => this.#cell(row * this.columns + column)),
    );
  }

  #cell(at: number): Cell {
    const curve = this.#curves[at]!;
    if (curve < 0) return { text: ' ', curve: undefined };
    return { text: this.#marks[at] ?? String.fromCharCode(blank + this.#dots[at]!), curve };
  }

  #cellAt(x: number, y: number): number {
    return Math.floor(y / dotsDown) * this.columns + Math.floor(x / dotsAcross);
  }
}
