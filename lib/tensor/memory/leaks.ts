import { AiforgeError } from '../../errors.js';
import { func, size } from '../../kinds.js';
import { signature } from '../../signature.js';
import { native, type Handle } from '../../native.js';
import { divideFrames, takeStack } from '../../stack.js';
import { isPromise } from '../../realms.js';
import { currentContext, runInContext } from '../context/context.js';
import { collector } from './collector.js';
import { tensorsIn } from './scope.js';
import { setRecorder, Tensor, type Recorder } from '../tensor.js';

/** Tensors that one line made and that are still alive. */
export interface Leak {
  /** `file:line:column` of the line that called the library. */
  line: string;
  /** The library's function that was called there, such as `Tensor.add`. */
  call: string;
  count: number;
  /** The dtypes and shapes, each once, such as `float32[2, 3]`. */
  shapes: string[];
  /** What their own elements take; views are counted as well. */
  bytes: number;
}

export interface LeakReport {
  tensors: number;
  bytes: number;
  /** By line, the largest first. */
  leaks: Leak[];
}

export interface LeakOptions {
  /** How many tensors may stay alive. Default: 0. */
  threshold?: number;
}

interface Origin {
  line: string;
  call: string;
}

// The detectors that run; tensors are recorded only while there are any.
const detectors = new Set<Detector>();

function recordMade(handle: Handle): void {
  const { recorder } = currentContext();
  if (recorder instanceof Detector) recorder.made(handle, origin());
}

function recordMoved(from: Handle, to: Handle): void {
  for (const detector of detectors) detector.moved(from, to);
}

const recordForAll: Recorder = { made: recordMade, moved: recordMoved };

/** The line of the user's that runs now, and the function of the library that it called. */
function origin(): Origin {
  const { stack } = takeStack(recordMade);
  const { own, user } = divideFrames(String(stack));
  const [, call = 'a call'] = /^\s+at (?:async )?(?:new )?(?:Object\.)?(.+?)\$? \(/.exec(own.at(-1) ?? '') ?? [];
  const line = (user[0] ?? own.at(-1) ?? 'an unknown line')
    .trim()
    .replace(/^at (?:.*\()?(?:file:\/\/)?(.*?)\)?$/, '$1');
  return { line, call };
}

class Detector {
  // By handle and not by object: a reference would keep the tensor alive.
  readonly #made = new Map<Handle, Origin>();

  made(handle: Handle, from: Origin): void {
    this.#made.set(handle, from);
  }

  moved(from: Handle, to: Handle): void {
    const known = this.#made.get(from);
    if (known === undefined) return;
    this.#made.delete(from);
    this.#made.set(to, known);
  }

  forget(handle: Handle): void {
    this.#made.delete(handle);
  }

  report(): LeakReport {
    const byLine = new Map<string, Leak>();
    for (const [handle, { line, call }] of this.#made) {
      if (!native.isLive(handle)) continue;
      const key = `${line} ${call}`;
      const leak = byLine.get(key) ?? { line, call, count: 0, shapes: [], bytes: 0 };
      byLine.set(key, leak);
      const shape = `${native.dtype(handle)}[${native.shape(handle).join(', ')}]`;
      if (!leak.shapes.includes(shape)) leak.shapes.push(shape);
      leak.bytes += native.numel(handle) * native.itemSize(handle);
      ++leak.count;
    }
    const leaks = [...byLine.values()].sort((a, b) => b.bytes - a.bytes || b.count - a.count);
    const sum = (of: (leak: Leak) => number) => leaks.reduce((total, leak) => total + of(leak), 0);
    return { tensors: sum((leak) => leak.count), bytes: sum((leak) => leak.bytes), leaks };
  }
}

/** Runs V8's collector, so that what nobody can reach does not count as alive. */
function collectGarbage(): void {
  collector()();
  native.memory(); // releases what was collected
}

function start(): Detector {
  const detector = new Detector();
  detectors.add(detector);
  setRecorder(recordForAll);
  return detector;
}

function stop(detector: Detector): void {
  detectors.delete(detector);
  if (detectors.size === 0) setRecorder(null);
}

// What the body returns is not lost: its caller has it.
function finish<R>(detector: Detector, result: unknown, answer: (report: LeakReport) => R): R {
  for (const tensor of tensorsIn(result)) detector.forget(Tensor.handleOf(tensor));
  collectGarbage();
  return answer(detector.report());
}

function watch<T, R>(body: () => T, answer: (report: LeakReport, result: Awaited<T>) => R): R | Promise<R> {
  const detector = start();
  let pending = false;
  const end = (result: Awaited<T>) => finish(detector, result, (report) => answer(report, result));
  try {
    const result = runInContext({ recorder: detector }, body);
    if (!isPromise(result)) return end(result as Awaited<T>);
    pending = true;
    return (result as Promise<Awaited<T>>).then(end).finally(() => stop(detector));
  } finally {
    if (!pending) stop(detector);
  }
}

/**
 * Runs `body` and reports the tensors made in it that are still alive afterwards, by the line that made them: neither
 * released by a scope or `dispose()`, nor collected (the collector runs first), nor returned. While it runs, making a
 * tensor costs some microseconds; otherwise the detector costs nothing. Follows `await`.
 *
 * @example
 * import { memory, ones } from 'aiforge';
 * const history = [];
 * memory.leaks(() => void history.push(ones([2]).add(1))).leaks[0].shapes; // ['float32[2]']
 */
export function leaks<T>(body: () => Promise<T>): Promise<LeakReport>;
export function leaks<T>(body: () => T): LeakReport;
export function leaks<T>(body: () => T): LeakReport | Promise<LeakReport> {
  leaksTakes.check('memory.leaks', arguments);
  return watch(body, (report) => report);
}

const linesShown = 10;

function describe({ tensors, bytes, leaks: found }: LeakReport, threshold: number): string {
  const lines = found
    .slice(0, linesShown)
    .map(
      ({ line, call, count, shapes, bytes: size }) =>
        `  ${count} × ${call} ${shapes.join(' ')}, ${size} bytes: ${line}`,
    );
  const more = found.length > linesShown ? [`  and ${found.length - linesShown} more lines`] : [];
  const allowed = threshold > 0 ? `, ${threshold} allowed` : '';
  return [
    `${tensors} tensors (${bytes} bytes) are alive after the code that made them${allowed}. Made at:`,
    ...lines,
    ...more,
    'Put the code into a scope(), dispose() of them, or let go of the object that holds them.',
  ].join('\n');
}

const leaksTakes = signature({ body: func() });

const detectLeaksTakes = signature<LeakOptions>({ body: func() }, { threshold: size });

/**
 * Runs `body` and throws when more than `threshold` of the tensors made in it are alive afterwards; see `leaks`. Gives
 * the body's result, whose tensors may live.
 *
 * @throws AiforgeError TENSOR_LEAK, whose message names the lines that made them.
 * @example
 * import { memory, ones, scope } from 'aiforge';
 * memory.detectLeaks(() => scope(() => ones([2]).add(1).sum().item())); // 4
 */
export function detectLeaks<T>(body: () => T, options: LeakOptions = {}): T {
  detectLeaksTakes.check('memory.detectLeaks', arguments);
  const { threshold = 0 } = options;
  return watch(body, (report, result) => {
    if (report.tensors > threshold) throw new AiforgeError('TENSOR_LEAK', describe(report, threshold));
    return result;
  }) as T;
}
