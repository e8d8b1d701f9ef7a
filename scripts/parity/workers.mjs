// What the parity checks have in common: processes that answer requests, and the Python processes behind them.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { readFrames } from './frames.mjs';

const SILENCE_MS = 300_000;
const environment = { ...process.env, OMP_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1' };

/** The header of the first frame that a Python script writes, or null. */
export async function firstHeader(python, args) {
  const child = spawn(python, args, { stdio: ['ignore', 'inherit', 'inherit', 'pipe'], env: environment });
  for await (const { header } of readFrames(child.stdio[3])) return header;
  return null;
}

/** In a worker: the frames that a Python script answers this process's requests with. */
export function framesOf(python, script) {
  const child = spawn(python, [script], { stdio: ['pipe', 'inherit', 'inherit', 'pipe'], env: environment });
  child.stdin.on('error', () => {});
  createInterface({ input: process.stdin })
    .on('line', (line) => child.stdin.write(`${line}\n`))
    .on('close', () => child.stdin.end());
  return readFrames(child.stdio[3]);
}

/** Has workers answer requests, in order; where one dies, `fail` is told why, and another goes on after that request. */
export async function superviseWorkers(args, requests, add, fail) {
  let done = 0;
  while (done < requests.length) {
    const ended = await runWorker(args, requests.slice(done), (result) => {
      done += 1;
      add(result);
    });
    if (ended === null) continue;
    done += 1;
    fail(ended);
  }
}

/** Runs a worker to its end; null when it has answered all requests, else why it ended before. */
async function runWorker(args, requests, add) {
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], env: environment });
  const exit = new Promise((resolve) => child.on('close', (status, signal) => resolve({ status, signal })));
  child.stdin.on('error', () => {});
  for (const request of requests) child.stdin.write(`${JSON.stringify(request)}\n`);
  child.stdin.end();
  let left = requests.length;
  let isSilent = false;
  const stop = () => {
    isSilent = true;
    child.kill('SIGKILL');
  };
  let timer = setTimeout(stop, SILENCE_MS);
  for await (const line of createInterface({ input: child.stdout })) {
    clearTimeout(timer);
    timer = setTimeout(stop, SILENCE_MS);
    add(JSON.parse(line));
    left -= 1;
  }
  clearTimeout(timer);
  const { status, signal } = await exit;
  if (left === 0) return null;
  return isSilent ? `no answer for ${SILENCE_MS / 1000} s` : `the process ended with ${signal ?? `status ${status}`}`;
}

/** An error as the report shows it. */
export const messageOf = (error) =>
  (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 600);
