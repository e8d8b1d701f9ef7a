import { noGrad } from '../../autograd/index.js';
import { Metric } from '../../metrics/index.js';
import type { Module } from '../../nn/index.js';
import type { Optimizer } from '../../optim/index.js';
import { keep, scope, Tensor } from '../../tensor/index.js';
import { called } from '../plugins/calls.js';

type Restore = () => void;

/**
 * Remembers all that training steps change in a model and its optimizer; calling the result gives it back, to the last bit:
 * parameters, gradients, buffers, modes, counters and metrics that modules have as properties, state and options of the optimizer.
 */
export function snapshot(model: Module, optimizer: Optimizer): Restore {
  const steps = scope(() => [
    ...[...model.modules()].map(snapshotModule),
    ...[...model.parameters()].map(snapshotGradient),
    snapshotOptimizer(optimizer),
  ]);
  return () => scope(() => noGrad(() => steps.forEach((restore) => restore())));
}

function snapshotModule(module: Module): Restore {
  const own = module as unknown as Record<string, unknown>;
  const before = new Map(
    Object.keys(own).map((name) => [name, { value: own[name], restore: snapshotValue(own[name]) }]),
  );
  const extra = copyOf(called(`${module.constructor.name}.getExtraState`, () => module.getExtraState?.()));
  return () => {
    for (const name of Object.keys(own)) if (!before.has(name)) Reflect.deleteProperty(own, name);
    for (const [name, { value, restore }] of before) {
      if (!Object.is(own[name], value)) own[name] = value;
      restore();
    }
    if (extra !== undefined) called(`${module.constructor.name}.setExtraState`, () => module.setExtraState?.(extra));
  };
}

/** What a property is made of: where it is changed in place, what it was is kept apart. */
function snapshotValue(value: unknown): Restore {
  if (Tensor.isTensor(value)) return snapshotTensor(value);
  if (Array.isArray(value)) {
    const items = [...(value as unknown[])];
    return () => void value.splice(0, value.length, ...items);
  }
  if (!(value instanceof Metric)) return () => undefined;
  const metric = value as Metric<never[], unknown>;
  const state = copyOf(metric.stateDict());
  return () => metric.loadStateDict(state);
}

function snapshotTensor(tensor: Tensor): Restore {
  const [copy, { requiresGrad }] = [keep(tensor.detach().clone()), tensor];
  return () => {
    tensor.detach().copy_(copy);
    if (tensor.requiresGrad !== requiresGrad) tensor.requiresGrad = requiresGrad;
  };
}

/** Steps begin without gradients, so that what was there stays as it is. */
function snapshotGradient(parameter: Tensor): Restore {
  const grad = parameter.grad === null ? null : keep(parameter.grad);
  return () => {
    parameter.grad = grad;
  };
}

function snapshotOptimizer(optimizer: Optimizer): Restore {
  const state = copyOf(optimizer.stateDict());
  return () => optimizer.loadStateDict(state);
}

/** Plain data with copies of its tensors. */
function copyOf<T>(value: T): T {
  if (Tensor.isTensor(value)) return keep(value.detach().clone()) as T;
  if (Array.isArray(value)) return value.map(copyOf) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, copyOf(each as unknown)])) as T;
}
