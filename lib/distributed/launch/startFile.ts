import { existsSync, rmSync, writeFileSync } from 'node:fs';

const startFile = (errorFile: string): string => `${errorFile}.started`;

/** Tells aiforge-launch that this rank survives SIGUSR1 and SIGUSR2 from now on until it exits; Node's first and last moments do not. */
export function announceStart(): void {
  const errorFile = process.env.AIFORGE_ERROR_FILE;
  if (errorFile === undefined) return;
  try {
    writeFileSync(startFile(errorFile), '');
    process.once('exit', () => rmSync(startFile(errorFile), { force: true }));
  } catch {
    // The launcher is gone, or its folder: then it passes nothing on.
  }
}

/** Whether the rank with this error file has announced its start, and not begun to exit. */
export function hasStarted(errorFile: string): boolean {
  return existsSync(startFile(errorFile));
}
