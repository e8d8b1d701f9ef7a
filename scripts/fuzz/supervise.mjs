// Runs child.mjs and finds out how it ends: in order, by a signal, or not at all.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const childFile = fileURLToPath(new URL('child.mjs', import.meta.url));
const DATA_BYTES = 4 * 2 ** 30;
const HANG_CPU_SECONDS = 6;
const HANG_SECONDS = 90;
const LOOK_MS = 200;
const STDERR_KEPT = 2000;

/** What holds a child's memory within bounds, where the system has it: an allocation beyond fails. */
let limiter;
function limits() {
  limiter ??= spawnSync('prlimit', ['--version']).status === 0 ? ['prlimit', `--data=${DATA_BYTES}`, '--core=0'] : [];
  return limiter;
}

/** Seconds of processor time that a process has used, where the system tells. */
function cpuSeconds(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
}

const readOr = (file, otherwise) => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
};

/** Kills a child that makes no progress: one call may take 6 s of processor time, or 90 s of the clock. */
function watch(child, journal) {
  let last = '';
  let since = { cpu: 0, time: Date.now() };
  const timer = setInterval(() => {
    const line = readOr(journal, '').split('\n', 1)[0];
    const cpu = cpuSeconds(child.pid);
    if (line !== last) {
      last = line;
      since = { cpu: cpu ?? 0, time: Date.now() };
    } else if ((cpu ?? 0) - since.cpu > HANG_CPU_SECONDS || Date.now() - since.time > HANG_SECONDS * 1000) {
      child.hung = true;
      child.kill('SIGKILL');
    }
  }, LOOK_MS);
  return () => clearInterval(timer);
}

/**
 * Runs one child to its end. Returns its results, line by line; `failure` says what ended it ('SIGSEGV', 'hang', …), if
 * anything, and then `position` and `call` what it was at.
 */
export async function runChild(options, { fence } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'aiforge-fuzz-'));
  const journal = join(folder, 'journal');
  const results = join(folder, 'results');
  writeFileSync(results, '');
  const given = JSON.stringify({ ...options, journal, results });
  const [program, ...args] = [...limits(), process.execPath, childFile, given];
  const env = { ...process.env, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1', MALLOC_PERTURB_: '165', ...fence };
  // Away from everybody's files, whatever a call may write.
  const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr = (stderr + text).slice(-STDERR_KEPT)));
  const stop = watch(child, journal);
  const [status, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...how) => resolve(how));
  });
  stop();
  const lines = readOr(results, '')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const written = readOr(journal, '').split('\n', 1)[0];
  rmSync(folder, { recursive: true, force: true });
  const failure = child.hung ? 'hang' : (signal ?? (status === 0 ? undefined : `exit status ${status}`));
  const [, position, phase, call] = /^\d+ (\d+) ([\w ]+?) (\{.*)$/.exec(written) ?? [];
  return { lines, failure, stderr, phase, position: Number(position), call: call && JSON.parse(call) };
}

/** Makes described calls in a child of their own. `failure` is what ended it, or that it threw something foreign. */
export async function repeat(calls, settings) {
  const { lines, failure, stderr, phase } = await runChild({ seed: 0, calls }, settings);
  const foreign = lines.find((line) => line.foreign)?.foreign;
  return {
    failure: failure ?? (foreign && 'foreign exception'),
    codes: lines.filter((line) => line.code).map((line) => line.code),
    details: [...(failure ? [`in phase ${phase}`, stderr.trim()] : []), ...(foreign ? [foreign.message] : [])],
  };
}
