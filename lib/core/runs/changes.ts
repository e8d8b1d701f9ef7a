import type { ExperimentConfig } from '../../config/experimentConfig.js';
import { AiforgeError } from '../../errors.js';
import type { RunState } from '../checkpoints/checkpoint.js';
import { toJson } from '../checkpoints/checkpointJson.js';

/** A setting that a resumed run has otherwise than before. */
export interface Change {
  from: unknown;
  to: unknown;
}

type Verdict = 'applied' | { refused: string };

interface Rule {
  /** What becomes of a change, for the documentation. */
  means: string;
  verdict: (config: ExperimentConfig, state: RunState, change: Change) => Verdict;
}

const applied: Rule = { means: 'applied', verdict: () => 'applied' };
const refused = (reason: string): Rule => ({ means: `refused: ${reason}`, verdict: () => ({ refused: reason }) });
const atTheStartOfAnEpoch: Rule = {
  means: 'applied between epochs, refused within one, whose batches it divides',
  verdict: (_, { batch }) =>
    batch === 0 ? 'applied' : { refused: 'the run stands in the middle of an epoch, whose batches it divides' },
};

const splitsMove = refused('it would move samples between training, validation and test');
const optimizerState = refused("the optimizer's state was made with it");
const bestWouldDiffer = refused('the best value so far is one of the other');

// What can be set anew when a run is resumed, by its path; all else is the run's own.
const rules: Record<string, Rule> = {
  'training.epochs': {
    means: 'applied, unless there is a schedule whose length is that of the run; no fewer than are done',
    verdict: ({ training }, { epoch }, { to }) => {
      if (Number(to) < epoch) return { refused: `${epoch} are done` };
      return hasOpenLength(training.scheduler)
        ? { refused: "the schedule's length is that of the run; give the schedule a length of its own from the start" }
        : 'applied';
    },
  },
  'training.learningRate': {
    means: 'applied, unless there is a schedule; parameter groups with rates of their own keep their share',
    verdict: ({ training }) =>
      training.scheduler === null ? 'applied' : { refused: 'training.scheduler sets the rate' },
  },
  'training.gradClipNorm': applied,
  'training.gradClipValue': applied,
  'training.limitTrainBatches': atTheStartOfAnEpoch,
  'training.limitValBatches': refused('values before and after could not be compared'),
  'training.limitTestBatches': applied,
  'training.checkValEveryNEpoch': applied,
  'training.nonFiniteLoss': applied,
  'training.detectAnomaly': applied,
  'training.deterministic': applied,
  'training.logStepMetrics': applied,
  'training.sanityValBatches': applied,
  'training.activationCheckpointing': applied,
  'training.valCheckInterval': atTheStartOfAnEpoch,
  'training.averaging': refused('the averages so far were made with it'),
  'training.checkpoint.monitor': bestWouldDiffer,
  'training.checkpoint.mode': bestWouldDiffer,
  'training.earlyStoppingPatience': applied,
  'training.numThreads': applied,
  'training.numWorkers': applied,
  'training.prefetchFactor': applied,
  'training.device': applied,
  'training.pinMemory': applied,
  'training.findUnusedParameters': applied,
  'training.ddp': applied,
  'training.checkpoint': applied,
  'training.tensorboard': applied,
  'training.profile': applied,
  'training.batchSize': atTheStartOfAnEpoch,
  'training.accumulationSteps': atTheStartOfAnEpoch,
  dataPath: applied,
  'training.seed': refused('every random draw so far followed from it, and so does the order of the samples'),
  'training.valFraction': splitsMove,
  'training.testFraction': splitsMove,
  'training.parameterGroups': optimizerState,
  'training.optimizerName': optimizerState,
  'training.optimizerArgs': optimizerState,
  'training.precision': refused('the numbers so far, and the scale of the loss, were computed in the other'),
  'training.lossFnName': refused('losses before and after could not be compared'),
  'training.earlyStoppingMonitor': bestWouldDiffer,
  'training.earlyStoppingMode': bestWouldDiffer,
  'training.scheduler': refused('the schedule is under way'),
};
const otherwise = refused('the run was made with it');

/** @internal What becomes of a change of each setting, for the documentation; all else is the run's own. */
export const resumeRules: [setting: string, means: string][] = [
  ...Object.entries(rules).map(([setting, { means }]): [string, string] => [setting, means]),
  ['everything else', otherwise.means],
];

/** Settings that say where and how the run goes on, not what it is. */
const ofTheProcess = new Set([
  'training.resumeFrom',
  'training.useDistributed',
  'training.localRank',
  'training.worldSize',
  'modelPlugin',
  'datasetPlugin',
]);

/**
 * What a resume changes of the run's own configuration. Throws CONFIG_INVALID, with every reason, when something is changed
 * that cannot be.
 */
export function changesOf(own: ExperimentConfig, given: ExperimentConfig, state: RunState): Record<string, Change> {
  const changes: Record<string, Change> = {};
  const problems: string[] = [];
  for (const [path, change] of differences(own, given)) {
    if (ofTheProcess.has(path)) continue;
    const verdict = ruleOf(path).verdict(own, state, change);
    if (verdict === 'applied') changes[path] = change;
    else problems.push(`  ${path} was ${show(change.from)} and cannot become ${show(change.to)}: ${verdict.refused}`);
  }
  if (problems.length === 0) return changes;
  throw new AiforgeError(
    'CONFIG_INVALID',
    `The run cannot be resumed with this configuration:\n${problems.join('\n')}\n` +
      'Leave these as they were (--resume without a configuration file takes the run’s own), or begin a new run.',
  );
}

/**
 * Throws CONFIG_INVALID, with every reason, where a configuration that a run is evaluated or asked with has more otherwise than the
 * run's own than it may.
 */
export function checkOverrides(own: ExperimentConfig, given: ExperimentConfig, mayChange: readonly string[]): void {
  const refused = [...differences(own, given)].filter(
    ([path]) => !mayChange.some((allowed) => path === allowed || path.startsWith(`${allowed}.`)),
  );
  if (refused.length === 0) return;
  const lines = refused.map(([path, { from, to }]) => {
    const [, reason = 'it has no effect here'] = /^refused: (.*)/.exec(ruleOf(path).means) ?? [];
    return `  ${path} was ${show(from)} and cannot become ${show(to)}: ${reason}`;
  });
  throw new AiforgeError(
    'CONFIG_INVALID',
    `These settings of the run cannot be given here:\n${lines.join('\n')}\nLeave them out. Settings that can be given: ${mayChange.join(', ')}.`,
  );
}

/** Whether a run with these changes measures what it would have measured without them, as far as it went. */
export function keepsNumbers(changes: Record<string, Change>): boolean {
  const harmless =
    /^(training\.(epochs|earlyStoppingPatience|checkpoint\..*|profile(\..*)?|pinMemory|numWorkers|prefetchFactor|tensorboard)|dataPath)$/;
  return Object.keys(changes).every((path) => harmless.test(path));
}

function ruleOf(path: string): Rule {
  const found = Object.keys(rules).find((known) => path === known || path.startsWith(`${known}.`));
  return found === undefined ? otherwise : rules[found]!;
}

/** Whether a schedule takes a length from the run: `tMax`, `totalIters` or `totalSteps` that is null. */
export function hasOpenLength(schedule: unknown): boolean {
  if (typeof schedule !== 'object' || schedule === null) return false;
  return Object.entries(schedule).some(([key, value]) =>
    value === null ? /^(tMax|total(Iters|Steps))$/.test(key) : hasOpenLength(value),
  );
}

function* differences(own: object, given: object, under = ''): Generator<[string, Change]> {
  for (const key of new Set([...Object.keys(own), ...Object.keys(given)])) {
    const [from, to] = [(own as Record<string, unknown>)[key], (given as Record<string, unknown>)[key]];
    if (isMapping(from) && isMapping(to)) yield* differences(from, to, `${under}${key}.`);
    else if (toJson(from) !== toJson(to)) yield [`${under}${key}`, { from, to }];
  }
}

function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return value === undefined ? 'not set' : JSON.stringify(value);
}
