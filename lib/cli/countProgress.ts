import pc from 'picocolors';

const lineEveryMs = 5000;
const redrawEveryMs = 100;

/** Shows how many there are by now, beside what a command prints: one line on a terminal, a line every few seconds elsewhere. */
export class CountProgress {
  readonly #start = performance.now();
  #last = this.#start;

  constructor(
    /** What is counted: `samples`. */
    private readonly what: string,
    private readonly out: NodeJS.WriteStream = process.stderr,
  ) {}

  show(count: number): void {
    const now = performance.now();
    if (now - this.#last < (this.out.isTTY ? redrawEveryMs : lineEveryMs)) return;
    this.#last = now;
    const speed = Math.round(count / ((now - this.#start) / 1000));
    const line = `${count.toLocaleString('en')} ${this.what}, ${speed.toLocaleString('en')} a second`;
    this.out.write(this.out.isTTY ? `\r\u001b[K${pc.dim(line)}` : `${line}\n`);
  }

  /** Takes the line away. */
  stop(): void {
    if (this.out.isTTY) this.out.write('\r\u001b[K');
  }
}
