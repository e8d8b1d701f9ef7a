import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants as files, statSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { ProvisionError, SIGNAL_STATUS } from './main.mjs';

/** The absolute path of an executable on PATH, or null. */
export function which(name) {
  const candidates = isAbsolute(name)
    ? [name]
    : (process.env.PATH ?? '').split(delimiter).map((dir) => join(dir, name));
  return candidates.find(isExecutable) ?? null;
}

function isExecutable(file) {
  try {
    accessSync(file, files.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** The standard output of a short command, trimmed, or null when it cannot run or fails. */
export function outputOf(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return result.status === 0 ? result.stdout.trim() : null;
}

/** The status of a command that `limited` has ended. */
export const TOO_LATE = 124;

/** A command as `[program, args]` that is ended after so many seconds, with all that it has started. */
export const limited = (seconds, command, args) => [
  'timeout',
  [String(Math.max(1, Math.ceil(seconds))), command, ...args],
];

/**
 * Runs a command to its end and resolves to `{ status, tail }`, where `tail` holds its last lines.
 * `onLine` gets each line of output; without it the command writes to this terminal. A signal that stops this process is
 * passed on, and rejects with the exit status a shell would give, once the command has ended.
 */
export function run(command, args, { onLine, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: onLine ? ['ignore', 'pipe', 'pipe'] : 'inherit', ...options });
    let stoppedBy = null;
    const stop = (signal) => {
      stoppedBy = signal;
      child.kill(signal);
    };
    for (const signal of Object.keys(SIGNAL_STATUS)) process.on(signal, stop);
    const tail = [];
    if (onLine) for (const stream of [child.stdout, child.stderr]) readLines(stream, tail, onLine);
    child.on('error', (error) => reject(new ProvisionError(`cannot run ${command}: ${error.message}`)));
    child.on('close', (status, signal) => {
      for (const name of Object.keys(SIGNAL_STATUS)) process.off(name, stop);
      if (stoppedBy) reject(Object.assign(new ProvisionError('stopped.'), { exitStatus: SIGNAL_STATUS[stoppedBy] }));
      else resolve({ status: status ?? `signal ${signal}`, tail });
    });
  });
}

/** Runs a command on this terminal and resolves to its exit status, 128 + n when signal n ended it. */
export async function runToExit(command, args, options) {
  const child = spawn(command, args, { stdio: 'inherit', ...options });
  // A terminal gives Ctrl-C to the command itself: passing it on as well would look like a second Ctrl-C.
  const interrupt = () => process.stdin.isTTY || child.kill('SIGINT');
  const terminate = () => child.kill('SIGTERM');
  process.on('SIGINT', interrupt).on('SIGTERM', terminate);
  const [status, signal] = await once(child, 'exit');
  process.off('SIGINT', interrupt).off('SIGTERM', terminate);
  return status ?? 128 + constants.signals[signal];
}

function readLines(stream, tail, onLine) {
  let rest = '';
  const emit = (line) => {
    tail.push(line);
    if (tail.length > 40) tail.shift();
    onLine(line);
  };
  stream.setEncoding('utf8');
  stream.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    lines.forEach(emit);
  });
  stream.on('end', () => rest && emit(rest));
}
