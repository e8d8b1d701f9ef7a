// A run of the fuzzer: children one after the other (or several at a time), and what they found.
import { appendFileSync } from 'node:fs';
import { fence } from './fence.mjs';
import { shrink } from './shrink.mjs';
import { runChild } from './supervise.mjs';

/** Targets that one child calls: a fresh process now and then keeps failures near their causes. */
const SLICE = 120;
const SHRINK_TRIES = 25;
const HANG_TRIES = 3;
/** A target that ends its process again and again is left out for the rest of the run. */
const MOST_FAILURES = 3;
const PROGRESS_MS = 10_000;

export class Campaign {
  #options;
  #deadline = 0;
  #next = 0;
  #calls = 0;
  #codes = {};
  #reached = new Set();
  #succeeded = new Set();
  #failures = new Map();
  #findings = [];
  #operators = new Set();
  #settings;

  constructor(options) {
    this.#options = options;
    this.#settings = { fence: options.fence ? fence() : undefined };
  }

  /** Whether nothing was found. */
  async run() {
    const { seed, seconds, jobs, only, from } = this.#options;
    console.log(`seed ${seed}, ${seconds} s, ${jobs} at a time${only === undefined ? '' : `, only ${only}`}`);
    this.#deadline = Date.now() + seconds * 1000;
    this.#next = from;
    const progress = setInterval(() => this.#printProgress(), PROGRESS_MS);
    await Promise.all(Array.from({ length: jobs }, () => this.#work()));
    clearInterval(progress);
    this.#summarize();
    return this.#findings.length === 0;
  }

  async #work() {
    while (Date.now() < this.#deadline && this.#next < this.#options.to) {
      const from = this.#next;
      this.#next += SLICE;
      await this.#runSlice(from, Math.min(from + SLICE, this.#options.to));
    }
  }

  /** A slice whose child dies goes on after the target that killed it. */
  async #runSlice(from, to) {
    const { seed, only, strict, inner } = this.#options;
    const skipped = [...this.#failures].filter(([, count]) => count >= MOST_FAILURES).map(([name]) => name);
    const ended = await runChild(
      { seed, only, strict, inner, from, to, deadline: this.#deadline, skipped },
      this.#settings,
    );
    for (const line of ended.lines) await this.#take(line);
    if (ended.failure === undefined) return;
    if (ended.call === undefined) throw new Error(`the child does not start: ${ended.failure}\n${ended.stderr}`);
    await this.#found({ failure: ended.failure, ...ended, from });
    if (ended.call !== undefined && Date.now() < this.#deadline) await this.#runSlice(ended.position + 1, to);
  }

  async #take(line) {
    if (line.foreign)
      await this.#found({ failure: 'foreign exception', stderr: line.foreign.message, ...line.foreign });
    if (line.target === undefined) return;
    if (line.target.startsWith('operator ')) this.#operators.add(line.target);
    this.#reached.add(line.target);
    if (line.codes.OK > 0) this.#succeeded.add(line.target);
    for (const [code, count] of Object.entries(line.codes)) {
      this.#calls += count;
      this.#codes[code] = (this.#codes[code] ?? 0) + count;
    }
  }

  async #found({ failure, call, position, phase, stderr, from }) {
    const target = call === undefined ? 'no target' : `${call.via} ${call.name}`;
    this.#reached.add(target);
    const count = (this.#failures.get(target) ?? 0) + 1;
    this.#failures.set(target, count);
    const isNew = !this.#findings.some((one) => one.target === target && one.failure === failure);
    const known = isNew && call !== undefined;
    const smallest = known
      ? await shrink(call, failure, { tries: failure === 'hang' ? HANG_TRIES : SHRINK_TRIES, settings: this.#settings })
      : undefined;
    const finding = { target, failure, phase, position, from, call, smallest, stderr };
    if (isNew) this.#findings.push(finding);
    if (this.#options.findingsFile) appendFileSync(this.#options.findingsFile, `${JSON.stringify(finding)}\n`);
    if (!isNew) return;
    console.log(`\nFOUND: ${failure} in ${target}${phase === undefined ? '' : `, phase ${phase}`}`);
    if (stderr) console.log(stderr.trim().split('\n').slice(-12).join('\n'));
    const fenced = (this.#options.fence ? ' --fence' : '') + (this.#options.inner ? ' --inner' : '');
    if (smallest !== undefined) {
      console.log(`  npm run fuzz --${fenced} --repro '${JSON.stringify(smallest).replaceAll("'", "'\\''")}'`);
    } else if (call !== undefined) {
      const { seed } = this.#options;
      console.log(
        `  not by this call alone: ${JSON.stringify(call)}\n  npm run fuzz --${fenced} --seed ${seed} --from ${from ?? position}`,
      );
    }
  }

  #printProgress() {
    const left = Math.max(0, Math.round((this.#deadline - Date.now()) / 1000));
    console.log(
      `${this.#calls} calls, ${this.#reached.size} targets, ${this.#findings.length} findings, ${left} s left`,
    );
  }

  #summarize() {
    const count = (set) => [...set].filter((name) => name.startsWith('operator ')).length;
    console.log(
      `\n${this.#calls} calls of ${this.#reached.size} targets; operators: ${count(this.#reached)} reached, ${count(this.#succeeded)} with success`,
    );
    const codes = Object.entries(this.#codes).sort(([, a], [, b]) => b - a);
    console.log(codes.map(([code, calls]) => `${code} ${calls}`).join(', '));
    console.log(`${this.#findings.length} findings`);
    for (const { target, failure } of this.#findings)
      console.log(`  ${failure}: ${target} (${this.#failures.get(target)}x)`);
  }
}
