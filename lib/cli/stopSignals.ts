import { explain } from './explain.js';

const exitStatus = { SIGHUP: 129, SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 } as const;
/** Of the errors that nobody caught after the first. */
const mostShown = 5;

type StopSignal = keyof typeof exitStatus;

/** What ends a command from outside. */
export interface Stop {
  /** Aborted by the first signal, or by an error that nobody caught, which is then its reason. */
  signal: AbortSignal;
  /** The exit status that a shell expects after the signal received. */
  status: () => number;
}

/**
 * Lets a command end in good order: the first signal to stop, and an error or a rejection that nobody caught, abort it, so that
 * a checkpoint can be written, and so does a reader of the output that goes away; the second signal ends the process at once. SIGUSR1 and SIGUSR2 ask for a checkpoint.
 */
export function listenToSignals(requestCheckpoint: () => void): Stop {
  const controller = new AbortController();
  let received: StopSignal | undefined;
  for (const name of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (received !== undefined) process.exit(exitStatus[name]);
      received = name;
      controller.abort(name);
    });
  }
  // Nobody reads any more, as after `| head`. Node ignores the signal itself.
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code !== 'EPIPE' || received !== undefined) return;
    received = 'SIGPIPE';
    controller.abort(received);
  });
  for (const name of ['SIGUSR1', 'SIGUSR2'] as const) process.on(name, requestCheckpoint);
  // Node's promises reject here too. The first one ends the run, in good order; the others are shown while it ends.
  let further = 0;
  process.on('uncaughtException', (error: unknown) => {
    if (!controller.signal.aborted) controller.abort(error instanceof Error ? error : new Error(String(error)));
    else if (++further <= mostShown) process.stderr.write(`${explain(error)}\n`);
  });
  return { signal: controller.signal, status: () => exitStatus[received ?? 'SIGINT'] };
}
