import type { Patience } from './patience.js';
import type { WorkerGroup } from './workerGroup.js';

/** Signals that ask to stop, as torchrun passes them on. */
const stopping = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
/** What these mean is the ranks' affair; left alone, they would end the launcher or open its debugger. */
const passed = ['SIGUSR1', 'SIGUSR2'] as const;

/** How long SIGCONT may come after SIGTSTP for this process not to stop at all. */
const takenBackMs = 50;

/** Passes this process's signals on to the ranks while it is in use. */
export class Interruption {
  signal: NodeJS.Signals | undefined;
  group: WorkerGroup | undefined;
  /** Called at the first signal that asks to stop. */
  onStop: (() => void) | undefined;
  readonly #say: (message: string) => void;
  readonly #patience: Patience;
  readonly #handlers = new Map<NodeJS.Signals, () => void>();
  #isSuspending = false;

  constructor(say: (message: string) => void, patience: Patience) {
    this.#say = say;
    this.#patience = patience;
  }

  listen(): void {
    for (const signal of stopping) this.#on(signal, () => this.#receive(signal));
    for (const signal of passed) this.#on(signal, () => this.group?.pass(signal));
    this.#on('SIGTSTP', () => this.#suspend());
    this.#on('SIGCONT', () => this.#resume());
  }

  close(): void {
    this.#isSuspending = false;
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
  }

  #on(signal: NodeJS.Signals, handler: () => void): void {
    this.#handlers.set(signal, handler);
    process.on(signal, handler);
  }

  #receive(signal: NodeJS.Signals): void {
    if (this.signal === undefined) {
      this.signal = signal;
      this.#isSuspending = false;
      const what = `; passing it on to the ranks${signal === 'SIGINT' ? ' (again to kill them)' : ''}`;
      this.#say(`${signal} received${this.group === undefined ? '' : what}`);
      this.#patience.limit();
      // Ranks save their work on SIGTERM; few know what to do when a terminal hangs up.
      this.group?.stop(signal === 'SIGHUP' ? 'SIGTERM' : signal);
      this.onStop?.();
    } else if (signal === 'SIGINT') {
      this.#patience.end();
      this.group?.kill();
    }
  }

  /** Ctrl-Z: ranks are in sessions of their own, where the terminal's signal does not come, and would not stop them. */
  #suspend(): void {
    this.group?.suspend('SIGSTOP');
    if (this.#isSuspending) return;
    this.#isSuspending = true;
    // A SIGCONT that comes meanwhile would not be heard by a process that stops itself; one that has come is heard before the immediate.
    setTimeout(() => setImmediate(() => this.#suspendItself()), takenBackMs);
  }

  #suspendItself(): void {
    if (!this.#isSuspending) return;
    this.#isSuspending = false;
    // Those that were started meanwhile, too.
    this.group?.suspend('SIGSTOP');
    process.kill(process.pid, 'SIGSTOP');
  }

  #resume(): void {
    this.#isSuspending = false;
    this.group?.suspend('SIGCONT');
  }
}
