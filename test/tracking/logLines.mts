import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addLogFile } from '#lib/log.js';

export interface LogLine {
  level: number;
  msg: string;
}

/** Runs work and returns the warnings and errors that were logged meanwhile. */
export async function warningsOf(work: () => void | Promise<void>): Promise<LogLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'aiforge-log-'));
  const file = join(folder, 'log.jsonl');
  const close = addLogFile(file, 'warn');
  try {
    await work();
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as LogLine);
  } finally {
    close();
    rmSync(folder, { recursive: true });
  }
}
