// Memory over long streams: a file that twenty fresh passes read, in a process for each kind of file.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { projectRoot } from '../provision/paths.mjs';

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const kinds = ['csv', 'jsonl', 'tar'];

/** Prints the resident memory of each kind's process, over 10 GB in all, or 1 GB where it is to be quick. */
export function measureStreams(isQuick) {
  const bytes = (isQuick ? 1e9 : 1e10) / kinds.length;
  const folder = mkdtempSync(path.join(tmpdir(), 'aiforge-bench-stream-'));
  try {
    for (const kind of kinds) {
      const command = [path.join(here, 'node', 'stream.mjs'), kind, folder, String(bytes)];
      const { gb, firstMb, lastMb, seconds } = JSON.parse(
        execFileSync(process.execPath, command, { cwd: projectRoot }).toString(),
      );
      console.log(
        `- ${kind}: ${gb} GB in ${seconds} s: ${firstMb} MB resident after a tenth, ${lastMb} MB at the end (goal: no more).`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
