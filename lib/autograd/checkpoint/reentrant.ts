import { AiforgeError } from '../../errors.js';
import { native } from '../../native.js';
import { isPromise } from '../../realms.js';
import type { AutocastState } from '../../tensor/context/autocastState.js';
import { backwardFrom } from '../../tensor/autograd/backward.js';
import { currentContext, runInContext } from '../../tensor/context/context.js';
import { refuseResult } from '../../tensor/autograd/engine.js';
import { Tensor } from '../../tensor/tensor.js';
import { AutogradFunction, type FunctionContext } from '../function.js';
import { enableGrad } from '../modes.js';
import { recomputing } from './recomputing.js';
import { RngState } from './rngState.js';

type Body = (...args: unknown[]) => unknown;
type Fields = FunctionContext<{ body: Body; args: readonly unknown[]; rng: RngState | null; autocast: AutocastState }>;

class Checkpoint extends AutogradFunction {
  static forward(context: Fields, body: Body, preserveRngState: boolean, ...args: unknown[]): unknown {
    const tensors = args.filter((value) => Tensor.isTensor(value));
    context.body = body;
    context.args = args.map((value) => (Tensor.isTensor(value) ? null : value));
    context.rng = preserveRngState ? new RngState(tensors) : null;
    context.autocast = currentContext().autocast;
    context.saveForBackward(...args.map((value) => (Tensor.isTensor(value) ? value : null)));
    return body(...args);
  }

  static backward(context: Fields, ...gradOutputs: Tensor[]): (Tensor | null)[] {
    if (!native.isCheckpointValid()) {
      throw new AiforgeError(
        'OPERATOR_FAILED',
        'checkpoint: with useReentrant, neither grad() nor backward({ inputs }) can go through it; leave useReentrant out.',
      );
    }
    const saved: (Tensor | null)[] = context.savedTensors;
    const inputs = saved.map((tensor) => tensor && tensor.detach().requiresGrad_(tensor.requiresGrad));
    const args = context.args.map((value, i) => inputs[i] ?? value);
    const run = () =>
      runInContext({ autocast: context.autocast }, () => enableGrad(() => recomputing(() => context.body(...args))));
    const result = context.rng === null ? run() : context.rng.run(run);
    const outputs = Array.isArray(result) ? (result as unknown[]) : [result];
    const roots: Tensor[] = [];
    const gradients: Tensor[] = [];
    outputs.forEach((output, i) => {
      if (!Tensor.isTensor(output) || !output.requiresGrad) return;
      roots.push(output);
      gradients.push(gradOutputs[i] as Tensor);
    });
    if (roots.length === 0) {
      throw new AiforgeError('OPERATOR_FAILED', 'checkpoint: none of the outputs requires a gradient.');
    }
    backwardFrom(roots, gradients);
    return [null, null, ...inputs.map((input) => input && input.grad)];
  }
}

/** `checkpoint` as PyTorch had it first: a Function whose backward runs a backward pass of its own. */
export function checkpointReentrant<Args extends unknown[], Result>(
  fn: (...args: Args) => Result,
  args: Args,
  preserveRngState: boolean,
): Result {
  const body = (...values: unknown[]) => {
    const result = fn(...(values as Args));
    if (isPromise(result)) refuseResult('checkpoint: the function', result);
    return result;
  };
  return Checkpoint.apply(body, preserveRngState, ...args) as Result;
}
