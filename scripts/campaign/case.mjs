import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { hash, Random } from '../fuzz/random.mjs';
import { differences, leftoversIn, newestRun, problemsAfter } from './inspect.mjs';
import { train } from './process.mjs';
import { profiles } from './profiles.mjs';

const statusOf = { SIGTERM: 143, SIGINT: 130, disk: 1 };
const signals = ['SIGKILL', 'SIGTERM', 'SIGINT'];
const most = 4;

/** A run with its settings and its kills, all from the seed and its number. */
export function planCase(seed, number) {
  const random = new Random(hash(seed, number));
  const profile = random.pick(Object.keys(profiles));
  const ranks = random.next() < 0.3 ? 2 : 1;
  return { number, profile, ranks, kills: random.int(2, most), random };
}

/** A fault at one of the instants of an undisturbed run; the first may be anywhere, the later ones must come after it. */
function drawFault({ random, ranks, kills }, counts, index, hasDisk) {
  const phase = random.pick(Object.keys(counts));
  const kinds = ['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGINT', 'throw', 'throw', ...(hasDisk ? ['disk'] : [])];
  let kind = random.pick(kinds);
  // What writes a file does not throw but where the disk is full.
  const canThrow = (point) => /^on|[.]|Dict$/.test(point);
  const points = Object.keys(counts[phase]).filter((point) => kind !== 'throw' || canThrow(point));
  const point = random.pick(points);
  if (kind === 'throw' && random.next() < 0.1) kind = 'throw in onException';
  const among = counts[phase][point];
  const count = random.int(1, Math.max(1, Math.ceil(among / (1 + (index * 2) / kills))));
  const isSignal = signals.includes(kind);
  const fault = { phase, point, count, kind, rank: ranks === 2 && random.next() < 0.5 ? 1 : 0 };
  if (isSignal)
    return { ...fault, delay: random.pick([0, 0, 1, 5, 20]), isToLauncher: ranks === 2 && random.next() < 0.5 };
  return { ...fault, free: random.int(0, 8000) };
}

/** A small disk of the case's own, where the system allows to mount one. */
function mountDisk(folder) {
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'none', folder], { encoding: 'utf8' }); // prettier-ignore
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}

/** Why no disk can be filled here; undefined where one can. */
export function whyNoDisk(folder) {
  mkdirSync(folder, { recursive: true });
  const reason = mountDisk(folder);
  if (reason === undefined) spawnSync('umount', [folder]);
  return reason;
}

/** Runs a case; gives what happened to each of its kills, and all that was wrong. */
export async function runCase(plan, { folder, config, whole, counts, hasDisk }) {
  mkdirSync(folder, { recursive: true });
  if (hasDisk) mountDisk(folder);
  try {
    const done = await killAndFinish(plan, { folder, config, counts, hasDisk });
    const problems = done.finished === undefined ? [] : differences(done.finished, whole);
    const told = problems.map((problem) => `${problem}, after ${done.names.join('; ')}`);
    return { ...done, problems: [...done.problems, ...told] };
  } finally {
    if (hasDisk) spawnSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function killAndFinish(plan, { folder, config, counts, hasDisk }) {
  const { ranks } = plan;
  const struck = [];
  const names = [];
  const problems = [];
  const faults = Array.from({ length: plan.kills }, (_, i) => drawFault(plan, counts, i, hasDisk));
  for (const fault of faults) {
    const argsBefore = argumentsOf(folder, config);
    const known = leftoversIn(newestRun(folder));
    const ended = await train(argsBefore, { ranks, folder, fault });
    rmSync(path.join(folder, 'filler'), { force: true });
    const name = `${fault.kind} at ${fault.phase}/${fault.point} #${fault.count}${ranks === 2 ? ` of rank ${fault.rank}` : ''}`;
    const directory = newestRun(folder);
    const told = (problem) => problems.push(`${name}: ${problem}\n${indented(ended.stderr)}`);
    if (ended.isStruck) names.push(name);
    if (ended.isStruck) struck.push({ phase: fault.phase, kind: fault.kind });
    if (ended.isLate) told(`it took ${Math.round(ended.tookMs)} ms to end`);
    const wrong = wrongStatus(ended, fault, ranks, directory);
    if (wrong !== undefined) told(wrong);
    // A launcher that is killed leaves its ranks to end by themselves, which need a moment.
    if (directory !== undefined) {
      const isKilled = fault.kind === 'SIGKILL';
      const isCut = isKilled || fault.kind === 'disk';
      problemsAfter(directory, { isKilled: isKilled || ranks === 2, mayBeCut: isCut, known }).forEach((problem) =>
        told(problem),
      );
    }
    if (ended.status === 0) return { struck, names, problems, finished: directory };
    if (fault.isToLauncher && isCutOff(fault)) await new Promise((resolve) => setTimeout(resolve, 3000));
  }
  const last = await train(argumentsOf(folder, config), { ranks, folder });
  if (last.status === 0) return { struck, names, problems, finished: newestRun(folder) };
  return {
    struck,
    names,
    problems: [...problems, `finishing: status ${last.status ?? last.signal}\n${indented(last.stderr)}`],
  };
}

const isCutOff = ({ kind }) => kind === 'SIGKILL';

/** A run that has a checkpoint is gone on with; one that has none begins anew. */
function argumentsOf(folder, config) {
  const directory = newestRun(folder);
  const canGoOn = directory !== undefined && existsSync(path.join(directory, 'last.safetensors'));
  return canGoOn ? ['--resume', directory] : [config];
}

function wrongStatus({ status, signal, isStruck, stdout }, { kind, phase, delay }, ranks) {
  if (!isStruck) return status === 0 ? undefined : `nothing was done to it, and its status is ${status ?? signal}`;
  const isFinished = status === 0 && /Held-out test/.test(stdout);
  // What comes when the run is over, or wants no more of the disk, changes nothing.
  if (isFinished && (kind === 'disk' || (signals.includes(kind) && (delay > 0 || ['finish', 'test', 'saving'].includes(phase))))) return undefined; // prettier-ignore
  if (kind === 'SIGKILL') {
    const isRight = ranks === 1 ? signal === 'SIGKILL' : signal === 'SIGKILL' || status > 0;
    return isRight ? undefined : `status ${status ?? signal}`;
  }
  const expected = statusOf[kind] ?? 1;
  return status === expected ? undefined : `status ${status ?? signal}, expected ${expected}`;
}

const indented = (text) => text.trim().split('\n').slice(-12).map((line) => `      ${line}`).join('\n'); // prettier-ignore
