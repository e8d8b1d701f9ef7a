import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { makeFolders, writeFileAtomic } from '../atomicFile.js';
import { RankProcess } from '../distributed/launch/rankProcess.js';

const graceMs = 30_000;
const cli = path.join(__dirname, '..', 'cli', 'aiforge.js');

/** What a launcher of ranks would have set: a trial is no rank, whoever started the sweep. */
const ofRanks =
  /^(RANK|LOCAL_RANK|WORLD_SIZE|LOCAL_WORLD_SIZE|GROUP_.*|ROLE_.*|MASTER_(ADDR|PORT)|TORCHELASTIC_.*|AIFORGE_.*_FILE)$/;

export interface TrialCommand {
  number: number;
  /** The trial's folder: of its run, what it prints, and the note of where its run is. */
  folder: string;
  /** What follows `aiforge train`. */
  args: string[];
  threads: number;
  /** Called before it is killed since it did not end so many seconds after it was asked to. */
  onOverdue: (seconds: number) => void;
}

export interface TrialEnd {
  /** Why it did not come to its end; undefined where it did. */
  reason: string | undefined;
  /** Whether it ended because it was asked to. */
  wasStopped: boolean;
  seconds: number;
}

/** One run of `aiforge train`, in a process group of its own. It goes on with the run that its folder has, if that can go on. */
export class TrialProcess {
  readonly #process: RankProcess;
  readonly #start = performance.now();
  readonly #onOverdue: TrialCommand['onOverdue'];
  #isStopping = false;
  #killTimer: NodeJS.Timeout | undefined;

  constructor({ number, folder, args, threads, onOverdue }: TrialCommand) {
    this.#onOverdue = onOverdue;
    makeFolders(folder);
    const log = path.join(folder, 'log.txt');
    const output = { write: (lines: Uint8Array) => appendFileSync(log, lines), log: undefined };
    this.#process = new RankProcess({
      rank: number,
      localRank: 0,
      command: { file: process.execPath, args: [cli, 'train', ...args] },
      env: {
        ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofRanks.test(name))),
        RUNS_DIR: folder,
        AIFORGE_RUN_FILE: noteOf(folder),
        OMP_NUM_THREADS: String(threads),
        NO_COLOR: '1',
      },
      cwd: process.cwd(),
      prefix: '',
      graceMs,
      stdout: output,
      stderr: output,
      lastWords: () => undefined,
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Resolves when nothing of it runs any more. */
  async finished(): Promise<TrialEnd> {
    const { status, signal, startError } = await this.#process.finished;
    clearTimeout(this.#killTimer);
    const seconds = (performance.now() - this.#start) / 1000;
    const end = { wasStopped: this.#isStopping, seconds };
    if (status === 0) return { ...end, reason: undefined };
    const how =
      startError !== undefined
        ? `could not be started (${startError})`
        : signal !== undefined
          ? `was killed by ${signal}`
          : `ended with exit status ${status}`;
    const said = headlineOf(this.#process.stderrTail.lines);
    return { ...end, reason: said === undefined ? how : `${how}: ${said}` };
  }

  /** Asks it to end with a checkpoint, and kills it where it does not. */
  stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#process.signal('SIGTERM');
    this.#killTimer = setTimeout(() => this.#killOverdue(), graceMs);
  }

  #killOverdue(): void {
    this.#onOverdue(graceMs / 1000);
    this.kill();
  }

  kill(): void {
    this.#isStopping = true;
    this.#process.signal('SIGKILL');
  }
}

const noteOf = (folder: string): string => path.join(folder, 'run');

/** The folder of the run that a trial has begun, which its process notes; undefined where it has not come so far. */
export function runOf(folder: string): string | undefined {
  const note = noteOf(folder);
  if (!existsSync(note)) return undefined;
  return path.resolve(readFileSync(note, 'utf8'));
}

/** Has a trial find its run where the sweep's folder was moved since. */
export function keepNote(folder: string, run: string): void {
  const noted = runOf(folder);
  if ((noted === undefined || !existsSync(noted)) && existsSync(run)) writeFileAtomic(noteOf(folder), run);
}

/** Of what a process said last, the line that names its error. */
function headlineOf(lines: readonly string[]): string | undefined {
  const said = lines.filter((line) => line.trim() !== '');
  return (said.find((line) => /^([A-Z]+(_[A-Z]+)+|\w*Error:) /.test(line)) ?? said.at(-1))?.trim();
}
