import { isatty } from 'node:tty';

const hadTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));

/**
 * Ends a process that was hung up by the signal itself, as a shell expects: at its own end Node gives a terminal its settings back,
 * and aborts where that is gone.
 */
export function endAsTold(status: number): void {
  if (status !== 129 || !hadTerminal) return;
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
}
