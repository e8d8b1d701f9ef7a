import { z } from 'zod';

import { isListOf, kind as kindOf } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { refusal, type Frame } from '../tables/frame.js';
import { TablePreprocessor, type Plain } from '../tables/tablePreprocessor.js';
import { checkPartNames } from './named.js';

/** A step of a pipeline: its name and the preprocessor. */
export type PipelineStep = readonly [name: string, preprocessor: TablePreprocessor];

const stepKind = kindOf<PipelineStep>(
  'a step',
  (step) => Array.isArray(step) && step.length === 2 && step[1] instanceof TablePreprocessor,
);

const takes = signature({
  steps: kindOf<readonly PipelineStep[]>(
    "an array of steps, each ['name', preprocessor]",
    (value) => isListOf(value, stepKind) && value.length > 0,
  ),
});

const schema = z.strictObject({ steps: z.array(z.tuple([z.string(), z.unknown()])) });
type Learnt = z.infer<typeof schema>;

/**
 * Preprocessors one after the other: each learns from what those before it make of the items, so `fit` goes over the items once for each
 * step. `inverseTransform` goes back through all of them. As `sklearn.pipeline.Pipeline`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { Pipeline, SimpleImputer, StandardScaler } from 'aiforge/preprocessing';
 * const pipeline = new Pipeline([
 *   ['fill', new SimpleImputer()],
 *   ['scale', new StandardScaler()],
 * ]);
 * pipeline.fit({ age: tensor([20, NaN, 40]) });
 * pipeline.transform({ age: NaN }); // { age: 0 }
 */
export class Pipeline extends TablePreprocessor<Learnt> {
  protected override readonly kind = 'Pipeline';
  protected override readonly options: Plain;
  protected override readonly schema = schema;
  readonly steps: readonly PipelineStep[];
  #at = 0;
  #passesOfStep = 0;

  constructor(steps: readonly PipelineStep[]) {
    takes.check('Pipeline', arguments);
    super();
    checkPartNames('Pipeline', steps.map(([name]) => name)); // prettier-ignore
    const twice = steps.find(([, step], i) => steps.findIndex(([, other]) => other === step) < i);
    if (twice !== undefined)
      throw refusal('Pipeline', `the preprocessor of '${twice[0]}' is that of another step too: make two`);
    this.steps = steps.map(([name, step]) => [name, step]);
    this.options = { steps: this.steps.map(([name]) => name) };
  }

  /** @internal */
  override get fitsOn(): readonly string[] {
    return [...new Set(this.steps.flatMap(([, step]) => step.fitsOn))];
  }

  /** @internal */
  override passes(): number {
    return this.steps.reduce((sum, [, step]) => sum + step.passes(), 0);
  }

  override featureNames(): string[] {
    this.columns();
    return this.steps.at(-1)![1].featureNames();
  }

  /** @internal */
  override startFit(): void {
    this.forget();
    this.#at = this.#passesOfStep = 0;
    for (const [, step] of this.steps) step.startFit();
    super.startFit();
  }

  /** Which columns must be there the first step says. @internal */
  override transformFrame(frame: Frame): Frame {
    this.columns();
    return this.applied(frame);
  }

  protected override begin(): void {
    // Its steps gather.
  }

  protected override learn(frame: Frame, fitting: Frame): void {
    const before = this.steps.slice(0, this.#at);
    const made = before.reduce((each, [, step]) => step.transformFrame(each), frame);
    const step = this.steps[this.#at]![1];
    const needed = fitting.select(this.kind, step.fitsOn, 'allowed');
    const there = new Set(made.names);
    const clash = needed.names.find((name) => there.has(name));
    if (clash !== undefined)
      throw refusal('Pipeline.fit', `a step before makes a column '${clash}', which is the target's name`);
    step.observe(made.with([...made.names, ...needed.names], [...made.columns, ...needed.columns]));
  }

  protected override conclude(): Learnt | null {
    const step = this.steps[this.#at]![1];
    step.endPass();
    if (++this.#passesOfStep === step.passes()) {
      this.#at += 1;
      this.#passesOfStep = 0;
    }
    return this.#at < this.steps.length ? null : { steps: this.steps.map(([name, each]) => [name, each.state()]) };
  }

  protected override take({ steps }: Learnt): void {
    this.forget();
    this.steps.forEach(([, step], i) => step.restore(steps[i]![1]));
  }

  protected override problemOf({ steps }: Learnt): string | undefined {
    const names = steps.map(([name]) => name);
    const isSame = names.length === this.steps.length && names.every((name, i) => name === this.steps[i]![0]);
    return isSame ? undefined : `its steps are ${show(names)}`;
  }

  protected override namesOut(): readonly string[] {
    return this.featureNames();
  }

  protected override applied(frame: Frame): Frame {
    return this.steps.reduce((each, [, step]) => step.transformFrame(each), frame);
  }

  protected override undone(frame: Frame): Frame {
    return this.steps.reduceRight((each, [, step]) => step.inverseFrame(each), frame);
  }
}
