import { explain } from './explain.js';

const exitStatus = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof exitStatus;

/** The exit status that a shell expects after a signal to stop. */
export function statusAfter(signal: string | undefined): number {
  return exitStatus[signal as StopSignal] ?? 1;
}

/** Whether a launcher, aiforge-launch or torchrun, started this process: it passes signals on, and ends the ranks that do not stop. */
const isLaunched = (): boolean => process.env.TORCHELASTIC_RUN_ID !== undefined;

/**
 * Lets a command end in good order: the first signal to stop, and an error or a rejection that nobody caught, abort what is returned,
 * with the signal's name or the error as the reason, so that a checkpoint can be written; the second signal ends the process at once.
 * A launcher's rank may get one request several times, from the launcher and from who sent it to all: there the second one is the first.
 * SIGUSR1 and SIGUSR2 ask for a checkpoint.
 */
export function listenToSignals(requestCheckpoint: () => void): AbortSignal {
  const controller = new AbortController();
  let isStopping = false;
  for (const name of Object.keys(exitStatus) as StopSignal[]) {
    process.on(name, () => {
      if (isStopping && !isLaunched()) process.exit(exitStatus[name]);
      isStopping = true;
      controller.abort(name);
    });
  }
  for (const name of ['SIGUSR1', 'SIGUSR2'] as const) process.on(name, requestCheckpoint);
  // Node's promises reject here too.
  process.on('uncaughtException', (error) => {
    if (controller.signal.aborted) {
      process.stderr.write(`${explain(error)}\n`);
      process.exit(1);
    }
    controller.abort(error instanceof Error ? error : new Error(String(error)));
  });
  return controller.signal;
}
