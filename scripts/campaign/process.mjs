import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../provision/paths.mjs';

const faults = pathToFileURL(path.join(projectRoot, 'scripts', 'campaign', 'faults.mjs')).href;

/** How long a process may take to end after a fault, in ms; of a launcher, whose ranks have a grace of their own. */
const boundMs = { 1: 30_000, 2: 60_000 };
const hangMs = 120_000;

/** Runs the command to its end, with a fault; gives its status or signal, what it printed and how long it took to end after the fault. */
export function train(args, { ranks, folder, fault, countsFile }) {
  const [command, before] = ranks === 1 ? ['aiforge', []] : ['aiforge-launch', ['--nproc', String(ranks)]];
  const options = `${process.env.NODE_OPTIONS ?? ''} --import ${faults}`;
  const mark = path.join(folder, 'struck');
  rmSync(mark, { force: true });
  const env = {
    ...process.env,
    NODE_OPTIONS: options,
    ...{ RUNS_DIR: path.join(folder, 'runs'), OMP_NUM_THREADS: '1', NO_COLOR: '1', LOG_LEVEL: 'warn' },
    ...(fault && {
      CAMPAIGN: JSON.stringify(fault),
      CAMPAIGN_FILLER: path.join(folder, 'filler'),
      CAMPAIGN_MARK: mark,
    }),
    ...(countsFile && { CAMPAIGN_COUNTS: countsFile }),
  };
  const child = spawn(process.execPath, [path.join(projectRoot, 'dist', 'lib', 'cli', `${command}.js`), ...before, 'train', ...args], { env }); // prettier-ignore
  return ended(child, fault, ranks, mark);
}

async function ended(child, fault, ranks, markFile) {
  const output = { stdout: '', stderr: '' };
  let struckAt;
  child.stdout.on('data', (chunk) => (output.stdout += chunk));
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk;
    const mark = /@@campaign (\d+)@@/.exec(output.stderr);
    if (mark === null || struckAt !== undefined) return;
    struckAt = performance.now();
    if (fault.delay > 0 && fault.kind.startsWith('SIG')) {
      setTimeout(() => send(fault.isToLauncher ? child.pid : Number(mark[1]), fault.kind), fault.delay);
    }
  });
  const hang = setTimeout(() => child.kill('SIGKILL'), hangMs);
  const [status, signal] = await new Promise((resolve) => child.once('close', (...how) => resolve(how)));
  clearTimeout(hang);
  const tookMs = struckAt === undefined ? 0 : performance.now() - struckAt;
  return { status, signal, ...output, isStruck: existsSync(markFile), isLate: tookMs > boundMs[ranks], tookMs };
}

function send(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It may have ended by itself.
    if (error.code !== 'ESRCH') throw error;
  }
}
