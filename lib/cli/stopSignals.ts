import { AiforgeError } from '../errors.js';
import { explain } from './explain.js';
import { isError } from '../realms.js';
import { showThrown } from '../show.js';

const exitStatus = { SIGHUP: 129, SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 } as const;
/** Of the errors that nobody caught after the first. */
const mostShown = 5;

type StopSignal = keyof typeof exitStatus;

/** The exit status that a shell expects after a signal to stop. */
export function statusAfter(signal: string | undefined): number {
  return exitStatus[signal as StopSignal] ?? 1;
}

/** The exit status of a command that a signal stopped, once it said so; throws the error where that is not why it ended. */
export function statusOfStop(error: unknown, signal: AbortSignal): number {
  if (!(error instanceof AiforgeError) || error.code !== 'RUN_INTERRUPTED') throw error;
  if (isError(signal.reason)) throw signal.reason;
  process.stderr.write(`${error.message}\n`);
  return statusAfter(signal.reason as string);
}

/** Whether a launcher, aiforge-launch or torchrun, started this process: it passes signals on, and ends the ranks that do not stop. */
const isLaunched = (): boolean => process.env.TORCHELASTIC_RUN_ID !== undefined;

/**
 * Lets a command end in good order: the first signal to stop, and an error or a rejection that nobody caught, abort what is returned,
 * with the signal's name or the error as the reason, so that a checkpoint can be written, and so does a reader of the output that goes
 * away; the second signal ends the process at once. A launcher's rank may get one request several times, from the launcher and from
 * who sent it to all: there the second one is the first. SIGUSR1 and SIGUSR2 ask for a checkpoint.
 */
export function listenToSignals(requestCheckpoint: () => void): AbortSignal {
  const controller = new AbortController();
  let isStopping = false;
  for (const name of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (isStopping && !isLaunched()) process.exit(exitStatus[name]);
      isStopping = true;
      controller.abort(name);
    });
  }
  // Nobody reads any more, as after `| head`. Node ignores the signal itself.
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code !== 'EPIPE') return;
    isStopping = true;
    controller.abort('SIGPIPE');
  });
  for (const name of ['SIGUSR1', 'SIGUSR2'] as const) process.on(name, requestCheckpoint);
  // Node's promises reject here too. The first one ends the run, in good order; the others are shown after it.
  const further: string[] = [];
  process.on('uncaughtException', (error: unknown) => {
    if (!controller.signal.aborted) controller.abort(isError(error) ? error : new Error(showThrown(error)));
    else if (further.length < mostShown) further.push(`${explain(error)}\n`);
  });
  process.once('exit', () => further.forEach((text) => process.stderr.write(text)));
  return controller.signal;
}
