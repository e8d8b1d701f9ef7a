import { checkpoint, isGradEnabled } from '../../autograd/index.js';
import { settingProblem } from '../../config/source.js';
import { didYouMean } from '../../nearest.js';
import type { Module } from '../../nn/index.js';
import { isMatch } from './parameterGroups.js';

type Forward = (this: Module, ...args: never[]) => unknown;

/** Has the modules that the patterns name keep no activations in training: the backward pass computes them again. */
export function checkpointActivations(model: Module, patterns: readonly string[]): void {
  const modules = [...model.namedModules()].filter(([name]) => name !== '');
  for (const pattern of patterns) {
    const matching = modules.filter(([name]) => isMatch(pattern, name));
    if (matching.length > 0) {
      for (const [, module] of matching) recompute(module);
      continue;
    }
    const names = modules.map(([name]) => name);
    const shown = names.length > 20 ? [...names.slice(0, 20), '…'] : names;
    throw settingProblem(
      ['training', 'activationCheckpointing'],
      `no module of the model is called '${pattern}'.${didYouMean(pattern, names)} It has ${shown.join(', ')}.`,
    );
  }
}

function recompute(module: Module): void {
  const { forward } = module as unknown as { forward: Forward };
  if (Object.hasOwn(module, 'forward')) return;
  const recomputing: Forward = function (...args) {
    if (!this.training || !isGradEnabled()) return forward.apply(this, args);
    return checkpoint(() => forward.apply(this, args));
  };
  Object.defineProperty(module, 'forward', { value: recomputing, configurable: true, writable: true });
}
