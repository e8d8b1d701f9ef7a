import { readFileSync, statSync, writeFileSync } from 'node:fs';

/** What a rank recorded about its end. */
export interface RecordedError {
  message: string;
  callstack: string | undefined;
  /** When the file was written, in ns since the epoch. */
  writtenAt: bigint;
}

/**
 * Writes the error that ends this rank to the file that its launcher named in `TORCHELASTIC_ERROR_FILE`; does nothing
 * where there is none. torchrun reads the same form.
 */
export function recordRankError(error: unknown): void {
  const file = process.env.TORCHELASTIC_ERROR_FILE;
  if (file === undefined || file === '') return;
  const isError = error instanceof Error;
  const record = {
    message: isError ? `${error.name}: ${error.message}` : String(error),
    callstack: isError ? error.stack : undefined,
    timestamp: Math.floor(Date.now() / 1000),
  };
  try {
    writeFileSync(file, JSON.stringify(record));
  } catch {
    // The rank is failing already; its own error matters more than that it could not be recorded.
  }
}

interface PythonRecord {
  message?: string;
  extraInfo?: { py_callstack?: string };
}

/** Reads what a rank recorded, Node's form or Python's; undefined when it recorded nothing that can be read. */
export function readErrorFile(file: string): RecordedError | undefined {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  try {
    const record = JSON.parse(readFileSync(file, 'utf8')) as { message?: string | PythonRecord; callstack?: string };
    const { message } = record;
    const writtenAt = stats.mtimeNs;
    if (typeof message !== 'object') return { message: String(message), callstack: record.callstack, writtenAt };
    return { message: String(message.message), callstack: message.extraInfo?.py_callstack, writtenAt };
  } catch {
    // A rank killed while writing leaves half a file; its last lines on stderr are reported instead.
    return undefined;
  }
}
