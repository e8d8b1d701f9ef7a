import { checkpoint, isGradEnabled } from '../../../autograd/index.js';
import { settingProblem } from '../../../config/source.js';
import { didYouMean } from '../../../nearest.js';
import type { Module } from '../../../nn/index.js';
import { NormBase } from '../../../nn/modules/normBase.js';
import { isMatch } from './parameterGroups.js';

type Forward = (this: Module, ...args: never[]) => unknown;

/** Has the modules that the patterns name keep no activations in training: the backward pass computes them again. */
export function checkpointActivations(model: Module, patterns: readonly string[]): void {
  const modules = [...model.namedModules()].filter(([name]) => name !== '');
  const named = modules.filter(([name]) => patterns.some((pattern) => isMatch(pattern, name)));
  // One within another that is computed again is computed with it.
  const isWithin = ([name]: [string, Module]) => named.some(([other]) => name.startsWith(`${other}.`));
  for (const [, module] of named.filter((each) => !isWithin(each))) recompute(module);
  for (const pattern of patterns) {
    if (named.some(([name]) => isMatch(pattern, name))) continue;
    const names = modules.map(([name]) => name);
    const shown = names.length > 20 ? [...names.slice(0, 20), '…'] : names;
    throw settingProblem(
      ['training', 'activationCheckpointing'],
      `no module of the model is called '${pattern}'.${didYouMean(pattern, names)} It has ${shown.join(', ')}.`,
    );
  }
}

const statistics = ['runningMean', 'runningVar', 'numBatchesTracked'] as const;

/** Norms have counted the batch the first time; now they count in copies, which nobody keeps. */
function withoutStatistics<T>(module: Module, forward: () => T): T {
  const norms: NormBase[] = [...module.modules()].filter((each) => each instanceof NormBase);
  const kept = norms.map((norm) => statistics.map((name) => norm[name]));
  for (const norm of norms) for (const name of statistics) norm[name] = norm[name]?.clone() ?? null;
  try {
    return forward();
  } finally {
    norms.forEach((norm, i) => statistics.forEach((name, j) => (norm[name] = kept[i]![j]!)));
  }
}

function recompute(module: Module): void {
  const { forward } = module as unknown as { forward: Forward };
  if (Object.hasOwn(module, 'forward')) return;
  const recomputing: Forward = function (...args) {
    if (!this.training || !isGradEnabled()) return forward.apply(this, args);
    let isAgain = false;
    return checkpoint(() => {
      if (isAgain) return withoutStatistics(this, () => forward.apply(this, args));
      isAgain = true;
      return forward.apply(this, args);
    });
  };
  Object.defineProperty(module, 'forward', { value: recomputing, configurable: true, writable: true });
}
