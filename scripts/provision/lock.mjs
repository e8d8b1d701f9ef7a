import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
  for (let announced = false; !create(file);) {
    const content = readOrNull(file);
    if (content === null) continue;
    const [pid, host] = content.split(' ');
    if (!isAlive(Number(pid), host)) {
      removeIfStill(file, content);
      continue;
    }
    if (Date.now() > deadline) {
      throw new ProvisionError(
        `process ${pid} has held ${file} for too long. Stop it or remove the file, then run the command again.`,
      );
    }
    if (!announced) console.log(`  waiting for process ${pid}, which is at the same work`);
    announced = true;
    await sleep(300);
  }
}

// A link appears with its content, so nobody ever reads a lock without its holder.
function create(file) {
  const own = `${file}.${process.pid}`;
  writeFileSync(own, `${process.pid} ${hostname()}`);
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

// Two processes may find the same dead holder: the slower one must not remove the lock that the faster one has made.
function removeIfStill(file, content) {
  const aside = `${file}.${process.pid}.old`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  if (readOrNull(aside) !== content) linkSync(aside, file);
  rmSync(aside, { force: true });
}

function readOrNull(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
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
