import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProvisionError } from './main.mjs';

const PATIENCE_MS = 45 * 60_000;

/** Runs `work` while holding the lock file, after waiting for any living process of this machine that holds it. */
export async function withLock(file, work) {
  await acquire(file);
  const release = () => rmSync(file, { force: true });
  process.on('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}

async function acquire(file) {
  mkdirSync(dirname(file), { recursive: true });
  const deadline = Date.now() + PATIENCE_MS;
  for (let announced = false; ;) {
    try {
      writeFileSync(file, `${process.pid} ${hostname()}`, { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = livingHolder(file);
    if (holder === null) {
      rmSync(file, { force: true });
      continue;
    }
    if (Date.now() > deadline) {
      throw new ProvisionError(
        `process ${holder} has held ${file} for too long. Stop it or remove the file, then run the command again.`,
      );
    }
    if (!announced) console.log(`  waiting for process ${holder}, which is building the same`);
    announced = true;
    await sleep(300);
  }
}

function livingHolder(file) {
  try {
    const [pid, host] = readFileSync(file, 'utf8').split(' ');
    if (host === undefined) return 'unknown'; // caught between its creation and its content
    return isAlive(Number(pid), host) ? pid : null;
  } catch {
    return null;
  }
}

/** Whether the process still runs. A process of another machine, or of another container, counts as ended. */
export function isAlive(pid, host) {
  if (host !== hostname() || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
