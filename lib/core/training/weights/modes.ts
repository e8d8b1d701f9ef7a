import type { Module } from '../../../nn/index.js';

/** Puts a model into evaluation mode; calling the result gives each of its modules the mode that it had, such as a frozen norm's. */
export function evaluationMode(model: Module): () => void {
  const modes = [...model.modules()].map((module) => [module, module.training] as const);
  model.eval();
  return () => modes.forEach(([module, training]) => (module.training = training));
}
