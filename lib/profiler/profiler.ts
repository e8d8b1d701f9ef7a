import { AiforgeError } from '../errors.js';
import { func } from '../kinds.js';
import { show } from '../show.js';
import { nothing, signature } from '../signature.js';
import { profileOptions, startProfile, type ProfileOptions } from './profile.js';
import { ProfileResult } from './profileResult.js';
import { enterRange, isRecording, leaveRange, type OpenRange, type Recorded } from './recording.js';
import type { ProfilerAction } from './schedule.js';

export interface ProfilerOptions extends ProfileOptions {
  /** What becomes of each step, counted from 0; `schedule` makes one. Default: every step is recorded, as one cycle. */
  schedule?: (step: number) => ProfilerAction;
  /** Gets the result of each cycle when it ends. Default: none; `result` has the last. */
  onTraceReady?: (result: ProfileResult) => void;
}

const profilerTakes = signature<ProfilerOptions>({}, { ...profileOptions, schedule: func(), onTraceReady: func() });

const actions: readonly ProfilerAction[] = ['none', 'warmup', 'record', 'recordAndSave'];

/**
 * A profile of some steps of a longer work, such as a training: `start`, then `step` after each step, and `stop` at the end. Each
 * step is a range `ProfilerStep#n`. As `torch.profiler.profile` with a schedule.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an option that there is not.
 * @example
 * import { randn } from 'aiforge';
 * import { Profiler, schedule } from 'aiforge/profiler';
 * const profiler = new Profiler({ schedule: schedule({ wait: 1, warmup: 1, active: 2, repeat: 1 }) });
 * profiler.start();
 * for (let step = 0; step < 6; ++step) {
 *   randn([64, 64]).sum();
 *   profiler.step();
 * }
 * profiler.stop();
 * profiler.result.keyAverages().find(({ name }) => name === 'aten::sum').count; // 2
 */
export class Profiler {
  readonly #options: ProfilerOptions;
  #stopRecording: (() => Recorded) | null = null;
  #action: ProfilerAction = 'none';
  #step = 0;
  #range: OpenRange | null = null;
  #isStarted = false;
  #result: ProfileResult | null = null;

  constructor(options: ProfilerOptions = {}) {
    profilerTakes.check(new.target.name, arguments);
    this.#options = options;
  }

  /** What the last cycle that has ended recorded; null before. */
  get result(): ProfileResult | null {
    return this.#result;
  }

  /** The number of the step that is under way, from 0. */
  get stepNumber(): number {
    return this.#step;
  }

  /** Begins with step 0. */
  start(): void {
    nothing.check('start', arguments);
    if (this.#isStarted) throw refusal('start: it has started already; stop it first');
    this.#step = 0;
    this.#begin(this.#actionOf(0));
    this.#isStarted = true;
  }

  /** Ends a step and begins the next one. */
  step(): void {
    nothing.check('step', arguments);
    if (!this.#isStarted) throw refusal('step: it has not started; call start first');
    this.#closeRange();
    const [before, after] = [this.#action, this.#actionOf(this.#step + 1)];
    ++this.#step;
    const isSame = before === 'record' ? after.startsWith('record') : before === 'warmup' && after === 'warmup';
    if (isSame) this.#action = after;
    else this.#end();
    if (isSame) this.#openRange();
    else this.#begin(after);
  }

  /** Ends the last step; what a cycle has recorded so far is its result. */
  stop(): void {
    nothing.check('stop', arguments);
    if (!this.#isStarted) throw refusal('stop: it has not started; call start first');
    this.#isStarted = false;
    this.#closeRange();
    this.#end();
  }

  [Symbol.dispose](): void {
    if (this.#isStarted) this.stop();
  }

  #actionOf(step: number): ProfilerAction {
    const { schedule } = this.#options;
    const action: unknown = schedule === undefined ? 'record' : schedule(step);
    if (actions.includes(action as ProfilerAction)) return action as ProfilerAction;
    throw refusal(
      `schedule must return ${actions.map((each) => `'${each}'`).join(', ')}, and returned ${show(action)} for step ${step}`,
    );
  }

  #begin(action: ProfilerAction): void {
    const { schedule: _, onTraceReady: __, ...options } = this.#options;
    if (action !== 'none') this.#stopRecording = startProfile('Profiler', options);
    this.#action = action;
    this.#openRange();
  }

  #end(): void {
    const stop = this.#stopRecording;
    if (stop === null) return;
    this.#stopRecording = null;
    const recorded = stop();
    if (this.#action === 'warmup') return;
    this.#result = new ProfileResult(recorded);
    this.#options.onTraceReady?.(this.#result);
  }

  #openRange(): void {
    if (this.#stopRecording !== null && isRecording()) this.#range = enterRange(`ProfilerStep#${this.#step}`);
  }

  #closeRange(): void {
    if (this.#range !== null) leaveRange(this.#range);
    this.#range = null;
  }
}

function refusal(problem: string): AiforgeError {
  return new AiforgeError('INVALID_ARGUMENT', `Profiler.${problem}.`);
}
