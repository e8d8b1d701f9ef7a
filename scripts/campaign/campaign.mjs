import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ProvisionError } from '../provision/main.mjs';
import { projectRoot } from '../provision/paths.mjs';
import { planCase, runCase } from './case.mjs';
import { newestRun } from './inspect.mjs';
import { train } from './process.mjs';
import { configOf } from './profiles.mjs';

const plugin = path.join(projectRoot, 'scripts', 'campaign', 'plugin');

/** Runs that are killed and go on, of a seed. */
export class Campaign {
  #next = 1;
  #runs = 0;
  #struck = [];
  #failures = [];
  #wholes = new Map();

  constructor(options) {
    Object.assign(this, options);
  }

  /** Takes one case after the other, until there were enough kills. */
  async work() {
    for (let plan = this.#take(); plan !== undefined; plan = this.#take()) {
      const { number, profile, ranks } = plan;
      const name = `${profile}, ${ranks} rank${ranks > 1 ? 's' : ''}`;
      const folder = path.join(this.root, `case-${number}`);
      const whole = await this.#wholeOf(profile, ranks);
      const { struck, problems } = await runCase(plan, { folder, ...whole, hasDisk: this.hasDisk });
      ++this.#runs;
      this.#struck.push(...struck);
      for (const problem of problems) {
        this.#failures.push(`--seed ${this.seed} --only ${number} (${name}): ${problem}`);
        console.log(`FAILED ${this.#failures.at(-1)}`);
      }
    }
  }

  #take() {
    if (this.only !== undefined) return this.#next++ === 1 ? planCase(this.seed, this.only) : undefined;
    if (this.#struck.length >= this.kills || Date.now() >= this.deadline) return undefined;
    return planCase(this.seed, this.#next++);
  }

  /** The run that nothing disturbs, one for each profile and number of ranks. */
  #wholeOf(profile, ranks) {
    const key = `${profile}-${ranks}`;
    if (!this.#wholes.has(key)) this.#wholes.set(key, this.#runWhole(profile, ranks, path.join(this.root, key)));
    return this.#wholes.get(key);
  }

  async #runWhole(profile, ranks, folder) {
    mkdirSync(folder);
    const config = path.join(folder, 'campaign.yaml');
    writeFileSync(config, JSON.stringify(configOf(profile, plugin)));
    const countsFile = path.join(folder, 'counts.json');
    const { status, stderr } = await train([config], { ranks, folder, countsFile });
    if (status !== 0) throw new ProvisionError(`the undisturbed run of ${profile} on ${ranks} ends with ${status}: ${stderr}`); // prettier-ignore
    return { config, whole: newestRun(folder), counts: JSON.parse(readFileSync(countsFile, 'utf8')) };
  }

  /** Prints how often each kind came in each phase, and what failed; gives the exit status. */
  report() {
    const phases = [...new Set(this.#struck.map(({ phase }) => phase))].sort();
    const kinds = [...new Set(this.#struck.map(({ kind }) => kind))].sort();
    const count = (phase, kind) => this.#struck.filter((each) => each.phase === phase && each.kind === kind).length;
    const rows = [['phase', ...kinds], ...phases.map((phase) => [phase, ...kinds.map((kind) => String(count(phase, kind)))])]; // prettier-ignore
    for (const row of rows) console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(12) : cell.padStart(kinds[i - 1].length + 2))).join('')); // prettier-ignore
    console.log(
      `seed ${this.seed}: ${this.#struck.length} kills in ${this.#runs} runs, ${this.#failures.length} failures`,
    );
    for (const failure of this.#failures) console.log(`npm run campaign -- ${failure.split('\n')[0]}`);
    return this.#failures.length > 0 || this.#struck.length === 0 ? 1 : 0;
  }
}
