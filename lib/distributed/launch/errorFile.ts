import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { isError } from '../../realms.js';
import { showThrown } from '../../show.js';

/** What a rank recorded about its end. */
export interface RecordedError {
  message: string;
  callstack: string | undefined;
  /** Whether the rank itself has shown it. */
  isShown: boolean;
  /** Whether it says no more than that another rank has ended. */
  isConsequence: boolean;
  /** Whether it says that it waited in vain. */
  isTimeout: boolean;
  /** When the file was written, in ns since the epoch. */
  writtenAt: bigint;
}

/**
 * Writes the error that ends this rank to the file that its launcher named in `TORCHELASTIC_ERROR_FILE`; does nothing
 * where there is none. torchrun reads the same form. True when aiforge-launch will show it, `shown` in place of its stack: it names
 * the same file in `AIFORGE_ERROR_FILE`.
 */
export function recordRankError(error: unknown, shown?: string): boolean {
  const file = process.env.TORCHELASTIC_ERROR_FILE;
  if (file === undefined || file === '') return false;
  const isLeft = shown !== undefined && file === process.env.AIFORGE_ERROR_FILE;
  const hasStack = isError(error);
  const record = {
    message: hasStack ? `${error.name}: ${error.message}` : showThrown(error),
    callstack: shown ?? (hasStack ? error.stack : undefined),
    isShown: !isLeft,
    timestamp: Math.floor(Date.now() / 1000),
  };
  try {
    writeFileSync(file, JSON.stringify(record));
    return isLeft;
  } catch {
    // The rank is failing already; its own error matters more than that it could not be recorded.
    return false;
  }
}

// What this library, and Gloo in Python, say where the connection to another rank is lost.
const lostRank = /Another rank has ended|Connection (closed|reset) by peer|the connection to the store was closed/;

// What this library says of a call that others have not come to, and c10d of a store, at the meeting and later, of Gloo, of NCCL's
// watchdog and of monitoredBarrier. Other timeouts are no affair of other ranks.
const ranOut =
  /failed: timed out after \d+ ms|Timed out (waiting|after \d+ seconds waiting for clients)|client socket has timed out|[Ww]ait timeout|[Cc]ollective operation timeout|monitoredBarrier|(was|were) not set within \d+ ms/;

interface PythonRecord {
  message?: string;
  extraInfo?: { py_callstack?: string };
}

/** Reads what a rank recorded, Node's form or Python's; undefined when it recorded nothing that can be read. */
export function readErrorFile(file: string): RecordedError | undefined {
  try {
    const { mtimeNs: writtenAt } = statSync(file, { bigint: true });
    const record = JSON.parse(readFileSync(file, 'utf8')) as Partial<Pick<RecordedError, 'callstack' | 'isShown'>> & {
      message?: string | PythonRecord;
    };
    const { message: given, isShown = true } = record;
    const [message, callstack] =
      typeof given === 'object'
        ? [String(given.message), given.extraInfo?.py_callstack]
        : [String(given), record.callstack];
    const told = { isConsequence: lostRank.test(message), isTimeout: ranOut.test(message) };
    return { message, callstack, isShown, ...told, writtenAt };
  } catch {
    // None, or half a file of a rank that was killed while writing; its last lines on stderr are reported instead.
    return undefined;
  }
}
