import type { RecordedError } from './errorFile.js';
import type { RankExit } from './rankProcess.js';

/** How one rank of a launch ended. */
export interface RankOutcome extends RankExit {
  rank: number;
  localRank: number;
  pid: number | undefined;
  /** The last signal that the launcher sent to it before it ended, if any. */
  stoppedWith: NodeJS.Signals | undefined;
  /** Whether it was stopped, as by SIGSTOP, when another rank failed. */
  wasSuspended: boolean;
  /** What the rank itself recorded about its failure. */
  recorded: RecordedError | undefined;
  /** Whether what it wrote on stderr was shown, and not only written to a file or left out. */
  stderrShown: boolean;
  /** The last lines that it wrote on stderr. */
  stderrTail: readonly string[];
  logPath: string | undefined;
}

/** Node.js's, of a script that has nothing more to wait for and yet waits. */
const unsettledStatus = 13;

export function describeExit(exit: RankExit): string {
  if (exit.startError !== undefined) return `could not be started (${exit.startError})`;
  if (exit.signal === undefined && exit.status === unsettledStatus)
    return `ended with exit status ${unsettledStatus}, in Node.js that of a top-level await that never settles`;
  return exit.signal === undefined ? `ended with exit status ${exit.status}` : `was killed by ${exit.signal}`;
}
