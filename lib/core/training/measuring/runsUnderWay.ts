import type { Module } from '../../../nn/index.js';

/** The models of the runs, evaluations and finders that go on in this process. */
const underWay = new Set<{ readonly model: Module }>();

let isPlanning = false;

/** Does the work of a run with a model: meanwhile it may log in its steps alone. */
export async function whileUnderWay<T>(model: Module, work: () => Promise<T>): Promise<T> {
  const run = { model };
  underWay.add(run);
  try {
    return await work();
  } finally {
    underWay.delete(run);
  }
}

/** Makes the model of a run, which may not log yet. */
export function whilePlanning<T>(plan: () => T): T {
  isPlanning = true;
  try {
    return plan();
  } finally {
    isPlanning = false;
  }
}

/** Whether a model, or one that it is a module of, has a run under way. */
export function isUnderWay(model: Module): boolean {
  return isPlanning || [...underWay].some((run) => [...run.model.modules()].includes(model));
}
