import { AiforgeError } from '../errors.js';
import { boolean, func, type Kinds } from '../kinds.js';
import { nothing, signature } from '../signature.js';
import { mirror, native } from '../native.js';
import { shownFrames, takeStack } from '../stack.js';
import { withCleanUp } from './finally.js';

export interface AnomalyOptions {
  /** Makes NaN in a gradient an error. Default: true. */
  checkNan?: boolean;
}

const anomalyOptions: Kinds<AnomalyOptions> = { checkNan: boolean };

interface Setting {
  readonly enabled: boolean;
  readonly checkNan: boolean;
}

interface Anomaly {
  base: Setting;
  /** Of the bodies that run, the last one begun last. */
  running: Setting[];
}

const anomaly = mirror<Anomaly>('anomaly', () => ({ base: { enabled: false, checkNan: true }, running: [] }));

const current = (): Setting => anomaly.running.at(-1) ?? anomaly.base;

function apply(): void {
  const { enabled, checkNan } = current();
  native.setAnomaly(enabled, checkNan);
}

const detectTakes = signature({ body: func() }, anomalyOptions);

/**
 * Runs `body` in anomaly mode, through every `await` in it: an error in a backward pass carries the JavaScript stack of
 * the forward call that made the failing function, as `forwardStack` and in its message, and NaN in a gradient is such
 * an error. Slow, and meant for finding a mistake. As `torch.autograd.detect_anomaly`, for the whole process.
 *
 * @example
 * import { autograd, tensor } from 'aiforge';
 * const x = tensor([-1], { dtype: 'float32', requiresGrad: true });
 * try {
 *   autograd.detectAnomaly(() => x.sqrt().sum().backward());
 * } catch (error) {
 *   console.log((error as Error).message); // Function 'SqrtBackward0' returned nan values in its 0th output. …
 * }
 */
export function detectAnomaly<T>(body: () => T, options: AnomalyOptions = {}): T {
  detectTakes.check('detectAnomaly', arguments);
  const { checkNan = true } = options;
  const setting = { enabled: true, checkNan };
  anomaly.running.push(setting);
  apply();
  return withCleanUp(body, () => {
    anomaly.running = anomaly.running.filter((other) => other !== setting);
    apply();
  });
}

const setTakes = signature({ enabled: boolean }, anomalyOptions);

/** Switches anomaly mode on or off until it is called again. As `torch.autograd.set_detect_anomaly`. */
export function setDetectAnomaly(enabled: boolean, options: AnomalyOptions = {}): void {
  setTakes.check('setDetectAnomaly', arguments);
  const { checkNan = true } = options;
  anomaly.base = { enabled, checkNan };
  apply();
}

/** Whether anomaly mode is on. */
export function isAnomalyEnabled(): boolean {
  nothing.check('isAnomalyEnabled', arguments);
  return current().enabled;
}

/** The stack of the running code, from the user's line on. */
function captureStack(): string {
  const { stack } = takeStack(captureStack);
  return typeof stack === 'string' ? shownFrames(stack).join('\n') : '';
}

function annotate(error: unknown, forwardStack: string): void {
  if (typeof error !== 'object' || error === null || !Object.isExtensible(error)) return;
  Object.defineProperty(error, 'forwardStack', { value: forwardStack, configurable: true, writable: true });
  // An error of the user's own keeps its message.
  if (error instanceof AiforgeError) error.message += `\nThe forward call that made it:\n${forwardStack}`;
}

native.setStackCapturer(captureStack, annotate);
