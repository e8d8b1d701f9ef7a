import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { constants } from 'node:os';

import { AiforgeError } from '../errors.js';
import { fixedAttempt } from './launch/attempt.js';
import { resolveCommand } from './launch/command.js';
import { makeLaunchFolder } from './launch/folder.js';
import type { ElasticMeeting, FixedMeeting } from './launch/meeting.js';
import { asOption, type NameOf } from './launch/optionNames.js';
import { launchTakes, type LaunchOptions } from './launch/options.js';
import { bindingToParent, OrphanGuard } from './launch/orphanGuard.js';
import { Patience } from './launch/patience.js';
import { countRanks } from './launch/rankCount.js';
import type { RankOutcome } from './launch/rankOutcome.js';
import { describeFailure, failureStatus, findRootCause } from './launch/report.js';
import { resolveOptions, type Settings } from './launch/settings.js';
import { SharedOutput } from './launch/sharedOutput.js';
import { Interruption } from './launch/signals.js';
import { WorkerGroup, type GroupContext } from './launch/workerGroup.js';

export type { LaunchOptions } from './launch/options.js';
export type { RankOutcome } from './launch/rankOutcome.js';

/** How a launch ended. */
export interface LaunchResult {
  /** What the launcher should exit with: 0 only if every rank ended with 0 and no signal stopped the launch. */
  status: number;
  /** The signal to this process that stopped the launch. */
  interruptedBy: NodeJS.Signals | undefined;
  /** How often the whole group was started again. */
  restarts: number;
  /** The rank that brought the last attempt to its end: the first to fail by itself, or that others waited for in vain. */
  rootCause: RankOutcome | undefined;
  /** Every rank of this machine, in the last attempt. */
  ranks: RankOutcome[];
}

/** What a sink threw, once every rank has ended for it. */
class OutputFault {
  error: unknown;
  hasHappened = false;

  /** Ends the ranks that run. */
  onHappen: (() => void) | undefined;

  happen(error: unknown): void {
    if (this.hasHappened) return;
    this.error = error;
    this.hasHappened = true;
    this.onHappen?.();
  }

  throwIfHappened(): void {
    if (!this.hasHappened) return;
    throw new AiforgeError(
      'LAUNCH_FAILED',
      `What the ranks print could not be passed on, and they were stopped: ${String(this.error)}`,
      { cause: this.error },
    );
  }
}

type Start = Omit<GroupContext, 'attempt'> & { interruption: Interruption; fault: OutputFault; runId: string };

async function runAttempt(start: Start, meeting: FixedMeeting, round: number): Promise<RankOutcome[]> {
  const { interruption, runId, settings } = start;
  const attempt = await fixedAttempt(settings, meeting, runId, round);
  if (interruption.signal !== undefined) return [];
  const group = new WorkerGroup({ ...start, attempt });
  interruption.group = group;
  try {
    return await group.run();
  } finally {
    interruption.group = undefined;
  }
}

async function runWithRestarts(start: Start, meeting: FixedMeeting): Promise<LaunchResult> {
  const { settings, say, interruption, fault } = start;
  for (let restarts = 0; ; restarts++) {
    const ranks = await runAttempt(start, meeting, restarts);
    const rootCause = findRootCause(ranks);
    const end = { interruptedBy: interruption.signal, restarts, rootCause, ranks };
    if (interruption.signal !== undefined) {
      if (rootCause?.recorded?.isConsequence === false) say(describeFailure(rootCause, ranks));
      return { ...end, status: 128 + constants.signals[interruption.signal] };
    }
    if (ranks.every(({ status }) => status === 0)) return { ...end, status: 0 };
    if (rootCause !== undefined) say(describeFailure(rootCause, ranks));
    if (restarts === settings.maxRestarts || fault.hasHappened)
      return { ...end, status: failureStatus(rootCause, ranks) };
    say(`starting all ranks again (restart ${restarts + 1} of at most ${settings.maxRestarts})`);
  }
}

async function runElastic(start: Start, meeting: ElasticMeeting): Promise<LaunchResult> {
  // Only this needs the protocol, and what checks it.
  const { launchElastic } = await import('./launch/rendezvous/elasticLaunch.js');
  return launchElastic({ ...start, meeting, isBroken: () => start.fault.hasHappened });
}

/** What comes of a launch when all that ranks printed is written, or cannot be as nobody reads it and a signal asked to stop. */
async function afterOutput({ outputs, patience, interruption }: Start, result: LaunchResult): Promise<LaunchResult> {
  const { stdout, stderr } = outputs;
  const areWritten = await Promise.all([stdout.written(patience), stderr.written(patience)]);
  if (areWritten.every(Boolean)) return result;
  patience.giveUp();
  const interruptedBy = interruption.signal;
  if (result.status !== 0 || interruptedBy === undefined) return result;
  return { ...result, interruptedBy, status: 128 + constants.signals[interruptedBy] };
}

async function supervise(settings: Settings, endsProcess: boolean): Promise<LaunchResult> {
  const fault = new OutputFault();
  const happen = (error: unknown): void => fault.happen(error);
  const outputs = {
    stdout: new SharedOutput(settings.stdout, happen),
    stderr: new SharedOutput(settings.stderr, happen),
  };
  const say = (message: string): void => outputs.stderr.say(`aiforge-launch: ${message}\n`);
  const command = resolveCommand(settings);
  const binding = bindingToParent(settings.env);
  const { meeting } = settings;
  // Nodes that share a job must agree on its id, and torchrun's is 'none' unless told otherwise.
  const isAlone = meeting.kind === 'fixed' && meeting.nnodes === 1;
  const runId = settings.rdzvId ?? (isAlone ? randomUUID() : 'none');
  const folder = makeLaunchFolder(say);
  const guard = new OrphanGuard(say, folder);
  const patience = new Patience(settings.shutdownTimeout * 1000, say);
  const interruption = new Interruption(say, patience);
  let keepsSignals = false;
  fault.onHappen = () => interruption.group?.stop('SIGTERM');
  if (settings.handleSignals) interruption.listen();
  try {
    const start = { settings, command, binding, folder, guard, outputs, patience, say, interruption, fault, runId };
    const result = await (meeting.kind === 'fixed' ? runWithRestarts(start, meeting) : runElastic(start, meeting));
    fault.throwIfHappened();
    if (!endsProcess) return result;
    keepsSignals = true;
    return await afterOutput(start, result);
  } finally {
    await guard.close();
    // Where this process ends now, a signal to it must not change how.
    if (!keepsSignals) interruption.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function settingsOf(options: LaunchOptions, nameOf: NameOf): Promise<Settings> {
  const nproc =
    typeof options.nproc === 'number' ? options.nproc : await countRanks(options.nproc, { name: nameOf('nproc') });
  return resolveOptions({ ...options, nproc }, nameOf);
}

/**
 * Starts `nproc` ranks of a distributed program with torchrun's environment and supervises them until all have ended:
 * the first to fail stops the others, and nothing that they started outlives them or this process.
 * A failed rank is reported in the result. Throws INVALID_ARGUMENT, FILE_NOT_FOUND or LAUNCH_FAILED when nothing could
 * be started, and LAUNCH_FAILED when a sink throws.
 */
export async function launch(options: LaunchOptions): Promise<LaunchResult> {
  launchTakes.check('launch', arguments);
  return supervise(await settingsOf(options, asOption), false);
}

/**
 * @internal As `launch`, for options that are checked by name and kind and have other names in errors, and for a process that is to end
 * at once afterwards: all has been written then, and signals do nothing to it any more.
 */
export async function launchAs(options: LaunchOptions, nameOf: NameOf): Promise<LaunchResult> {
  return supervise(await settingsOf(options, nameOf), true);
}
