import { currentContext, runInContext } from '../tensor/context/context.js';
import { boolean, func } from '../kinds.js';
import { nothing, signature } from '../signature.js';

const bodyTakes = signature({ body: func() });
const setTakes = signature({ mode: boolean, body: func() });

/** Runs `body` without recording gradients; follows `await`. As `torch.no_grad`. */
export function noGrad<T>(body: () => T): T {
  if (arguments.length !== 1 || typeof body !== 'function') bodyTakes.check('noGrad', arguments);
  return runInContext({ gradEnabled: false }, body);
}

/** Runs `body` with gradients recorded, inside a `noGrad`. As `torch.enable_grad`. */
export function enableGrad<T>(body: () => T): T {
  if (arguments.length !== 1 || typeof body !== 'function') bodyTakes.check('enableGrad', arguments);
  return runInContext({ gradEnabled: true, inference: false }, body);
}

/** Runs `body` without gradients and without version counting: its tensors cannot take part in training. */
export function inferenceMode<T>(body: () => T): T {
  if (arguments.length !== 1 || typeof body !== 'function') bodyTakes.check('inferenceMode', arguments);
  return runInContext({ gradEnabled: false, inference: true }, body);
}

/** Runs `body` with gradients recorded or not, as `mode` says; follows `await`. As `torch.set_grad_enabled`. */
export function setGradEnabled<T>(mode: boolean, body: () => T): T {
  setTakes.check('setGradEnabled', arguments);
  return mode ? enableGrad(body) : noGrad(body);
}

/** Whether operators that run now are recorded. */
export function isGradEnabled(): boolean {
  if (arguments.length > 0) nothing.check('isGradEnabled', arguments);
  const context = currentContext();
  return context.gradEnabled && !context.inference;
}

export function isInferenceModeEnabled(): boolean {
  if (arguments.length > 0) nothing.check('isInferenceModeEnabled', arguments);
  return currentContext().inference;
}
