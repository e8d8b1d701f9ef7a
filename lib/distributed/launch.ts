import { AiforgeError } from '../errors.js';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

import { resolveCommand } from './launch/command.js';
import { chooseMasterPort } from './launch/masterPort.js';
import { launchTakes, resolveOptions, type LaunchOptions, type Settings } from './launch/options.js';
import { bindToParent, OrphanGuard } from './launch/orphanGuard.js';
import { describeFailure, findRootCause } from './launch/report.js';
import { countRanks } from './launch/rankCount.js';
import { WorkerGroup, type GroupContext, type RankOutcome } from './launch/workerGroup.js';

export type { LaunchOptions } from './launch/options.js';
export type { RankOutcome } from './launch/workerGroup.js';

/** How a launch ended. */
export interface LaunchResult {
  /** What the launcher should exit with: 0 only if every rank ended with 0 and no signal stopped the launch. */
  status: number;
  /** The signal to this process that stopped the launch. */
  interruptedBy: NodeJS.Signals | undefined;
  /** How often the whole group was started again. */
  restarts: number;
  /** The rank that brought the last attempt to its end: the first to fail by itself, or to end while others still needed it. */
  rootCause: RankOutcome | undefined;
  /** Every rank of this machine, in the last attempt. */
  ranks: RankOutcome[];
}

/** Passes this process's signals on to the ranks while it is in use. */
class Interruption {
  signal: NodeJS.Signals | undefined;
  group: WorkerGroup | undefined;
  readonly #say: (message: string) => void;
  readonly #handlers = new Map<NodeJS.Signals, () => void>();

  constructor(say: (message: string) => void) {
    this.#say = say;
  }

  listen(): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) this.#on(signal, () => this.#receive(signal));
    // What these mean is the ranks' affair; left alone, they would end the launcher or open its debugger.
    for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) this.#on(signal, () => this.group?.pass(signal));
  }

  #on(signal: NodeJS.Signals, handler: () => void): void {
    this.#handlers.set(signal, handler);
    process.on(signal, handler);
  }

  close(): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
  }

  #receive(signal: NodeJS.Signals): void {
    if (this.signal === undefined) {
      this.signal = signal;
      this.#say(`${signal} received; passing it on to the ranks${signal === 'SIGINT' ? ' (again to kill them)' : ''}`);
      // Ranks save their work on SIGTERM; few know what to do when a terminal hangs up.
      this.group?.stop(signal === 'SIGHUP' ? 'SIGTERM' : signal);
    } else if (signal === 'SIGINT') {
      this.group?.kill();
    }
  }
}

type Start = Omit<GroupContext, 'attempt'> & { interruption: Interruption; runId: string };

async function runAttempt(start: Start, restartCount: number): Promise<RankOutcome[]> {
  const { interruption, runId, settings } = start;
  const masterPort = await chooseMasterPort(settings);
  if (interruption.signal !== undefined) return [];
  const group = new WorkerGroup({ ...start, attempt: { restartCount, masterPort, runId } });
  interruption.group = group;
  try {
    return await group.run();
  } finally {
    interruption.group = undefined;
  }
}

async function runWithRestarts(start: Start): Promise<LaunchResult> {
  const { settings, say, interruption } = start;
  for (let restarts = 0; ; restarts++) {
    const ranks = await runAttempt(start, restarts);
    const rootCause = findRootCause(ranks);
    const interruptedBy = interruption.signal;
    if (interruptedBy !== undefined) {
      if (rootCause?.recorded?.isConsequence === false) say(describeFailure(rootCause, ranks));
      return { status: 128 + constants.signals[interruptedBy], interruptedBy, restarts, rootCause, ranks };
    }
    if (rootCause === undefined) return { status: 0, interruptedBy, restarts, rootCause, ranks };
    say(describeFailure(rootCause, ranks));
    if (restarts === settings.maxRestarts)
      return { status: rootCause.status || 1, interruptedBy, restarts, rootCause, ranks };
    say(`starting all ranks again (restart ${restarts + 1} of at most ${settings.maxRestarts})`);
  }
}

function makeErrorFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), 'aiforge-launch-'));
  } catch (cause) {
    throw new AiforgeError(
      'LAUNCH_FAILED',
      `No folder can be made in ${tmpdir()} for what the ranks record: ${(cause as Error).message}. Set TMPDIR to one that can be written.`,
      { cause },
    );
  }
}

async function supervise(settings: Settings): Promise<LaunchResult> {
  const say = (message: string): void => void settings.stderr.write(`aiforge-launch: ${message}\n`);
  const command = bindToParent(resolveCommand(settings), settings.env);
  // Machines that share a job must agree on its id, and torchrun's is 'none' unless told otherwise.
  const runId = settings.nnodes === 1 ? randomUUID() : 'none';
  const errorFolder = makeErrorFolder();
  const guard = new OrphanGuard(say);
  const interruption = new Interruption(say);
  if (settings.handleSignals) interruption.listen();
  try {
    return await runWithRestarts({ settings, command, errorFolder, guard, say, interruption, runId });
  } finally {
    await guard.close();
    interruption.close();
    rmSync(errorFolder, { recursive: true, force: true });
  }
}

/**
 * Starts `nproc` ranks of a distributed program with torchrun's environment and supervises them until all have ended:
 * the first to fail stops the others, and nothing that they started outlives them or this process.
 * A failed rank is reported in the result. Throws INVALID_ARGUMENT, FILE_NOT_FOUND or LAUNCH_FAILED when nothing could
 * be started.
 */
export async function launch(options: LaunchOptions): Promise<LaunchResult> {
  launchTakes.check('launch', arguments);
  const nproc = typeof options.nproc === 'number' ? options.nproc : await countRanks(options.nproc);
  return supervise(resolveOptions({ ...options, nproc }));
}
