// Runs two parts of the tests at the same time. What the second prints comes after the first has ended.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, createReadStream, mkdtempSync, openSync, rmSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';

/** The second part gives way: the first has times to keep. */
const NICE = 5;

/** Resolves to the status of the first part that failed, or 0. */
export async function runBeside(first, second, options) {
  const folder = mkdtempSync(join(tmpdir(), 'aiforge-tests-'));
  const printed = join(folder, 'printed');
  const file = openSync(printed, 'w');
  const children = [
    spawn(process.execPath, first, { stdio: 'inherit', ...options }),
    spawn(process.execPath, second, { stdio: ['ignore', file, file], ...options }),
  ];
  closeSync(file);
  setPriority(children[1].pid, NICE);
  // A terminal gives Ctrl-C to the commands itself: passing it on as well would look like a second Ctrl-C.
  const interrupt = () => process.stdin.isTTY || children.forEach((child) => child.kill('SIGINT'));
  const terminate = () => children.forEach((child) => child.kill('SIGTERM'));
  process.on('SIGINT', interrupt).on('SIGTERM', terminate);
  try {
    const statuses = (await Promise.all(children.map((child) => once(child, 'exit')))).map(statusOf);
    console.log('\n== beside them');
    const shown = createReadStream(printed);
    shown.pipe(process.stdout, { end: false });
    await once(shown, 'end');
    return statuses.find((status) => status !== 0) ?? 0;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', terminate);
    rmSync(folder, { recursive: true, force: true });
  }
}

const statusOf = ([status, signal]) => status ?? 128 + constants.signals[signal];
