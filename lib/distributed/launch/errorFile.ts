import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { isError } from '../../realms.js';
import { showThrown } from '../../show.js';
import { othersInError, othersInText, type OthersAtFault } from './othersAtFault.js';

/** What a rank recorded about its end. */
export interface RecordedError extends OthersAtFault {
  message: string;
  callstack: string | undefined;
  /** Whether the rank itself has shown it. */
  isShown: boolean;
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
    ...othersInError(error),
    timestamp: Math.floor(Date.now() / 1000),
  };
  try {
    writeFileSync(file, JSON.stringify(record));
    return isLeft;
  } catch (reason) {
    // The rank is failing already, and its own error matters more: it has to show that itself.
    process.stderr.write(`aiforge: the error of this rank cannot be recorded for its launcher: ${String(reason)}\n`);
    return false;
  }
}

interface PythonRecord {
  message?: string;
  extraInfo?: { py_callstack?: string };
}

/** Reads what a rank recorded, Node's form or Python's; undefined when it recorded nothing that can be read. */
export function readErrorFile(file: string): RecordedError | undefined {
  try {
    const { mtimeNs: writtenAt } = statSync(file, { bigint: true });
    const record = JSON.parse(readFileSync(file, 'utf8')) as Partial<Omit<RecordedError, 'message'>> & {
      message?: string | PythonRecord;
    };
    const { message: given, isShown = true } = record;
    const isPython = typeof given === 'object';
    const message = String(isPython ? given.message : given);
    const callstack = isPython ? given.extraInfo?.py_callstack : record.callstack;
    // Python's stack has the errors that it was raised from.
    const told = othersInText(isPython ? `${message}\n${callstack}` : message);
    const isConsequence = told.isConsequence || record.isConsequence === true;
    const isTimeout = told.isTimeout || record.isTimeout === true;
    return { message, callstack, isShown, isConsequence, isTimeout, writtenAt };
  } catch {
    // None, or half a file of a rank that was killed while writing; its last lines on stderr are reported instead.
    return undefined;
  }
}
