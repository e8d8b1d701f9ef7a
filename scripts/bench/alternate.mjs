// Two processes that time the same rows and take turns, since the machine is shared and noisy: only their ratio counts.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import { projectRoot } from '../provision/paths.mjs';
import { median } from './median.mjs';

/** A process that answers one timing request a line. */
export class Timer {
  constructor(command, args, variables = {}) {
    const env = { ...process.env, ...variables };
    this.child = spawn(command, args, { cwd: projectRoot, env, stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  async time(row, threads, rounds) {
    return (await this.ask({ row, threads, rounds })).ns;
  }

  /** The answer to a request. */
  async ask(request) {
    this.child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`The timing process ended at the row ${request.row}.`);
    const answer = JSON.parse(value);
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }

  stop() {
    this.child.stdin.end();
  }
}

export function formatTime(ns) {
  if (ns < 10_000) return `${ns.toFixed(0)} ns`;
  return ns < 10_000_000 ? `${(ns / 1000).toFixed(0)} µs` : `${(ns / 1e6).toFixed(1)} ms`;
}

/** Times a row on both sides, in processes of its own: no row inherits the heap of another. */
export async function compare(startOurs, startTheirs, row, threads, turns) {
  const pair = [startOurs(), startTheirs()];
  const result = await compareIn(pair, row, threads, turns);
  for (const timer of pair) timer.stop();
  return result;
}

/** The same in a pair of processes that is there: `[row here, row in Python, title, rounds a turn, goal]`. */
export async function compareIn([ours, theirs], [row, other, title, rounds, goal], threads, turns) {
  const [a, b] = [[], []];
  for (let turn = 0; turn < turns; ++turn) {
    a.push(await ours.time(row, threads, rounds));
    b.push(await theirs.time(other, threads, rounds));
  }
  // The ratio of each turn: what slows the machine for a moment slows both sides of a turn.
  const ratio = median(a.map((ns, i) => ns / b[i]));
  return { title, threads, ours: formatTime(median(a)), theirs: formatTime(median(b)), ratio, goal, turns: [a, b] };
}

export function line({ title, threads, ours, theirs, ratio, goal }) {
  const target = goal === undefined ? '–' : `≤ ${goal}`;
  return `| ${title} | ${threads} | ${ours} | ${theirs} | **${ratio.toFixed(2)}** | ${target} |`;
}
