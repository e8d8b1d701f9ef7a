import { AiforgeError } from '../../errors.js';
import { noGrad } from '../../autograd/modes.js';
import { cat } from '../../tensor/generated/functions.js';
import { scope } from '../../tensor/memory/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { iterable } from '../../kinds.js';
import { signature } from '../../signature.js';
import { tensorKind } from '../../tensor/kinds.js';
import { checkInput } from '../checks.js';

const parametersKind = iterable<Iterable<Tensor>>('a list of Tensors');
const parametersTakes = signature({ parameters: parametersKind });
const vectorTakes = signature({ vector: tensorKind, parameters: parametersKind });

function checked(call: string, parameters: Iterable<Tensor>): Tensor[] {
  const list = [...parameters];
  list.forEach((parameter) => checkInput(call, parameter, 'each parameter'));
  checkDevices(list);
  return list;
}

function checkDevices(parameters: readonly Tensor[]): void {
  const devices = new Set(parameters.map(({ device }) => device));
  if (devices.size <= 1) return;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `The parameters must be on one device, got ${[...devices].join(' and ')}.`,
  );
}

/**
 * All parameters one after the other in one vector, which gradients flow through. As
 * `torch.nn.utils.parameters_to_vector`.
 *
 * @example
 * import { nn } from 'aiforge';
 * nn.utils.parametersToVector(new nn.Linear(10, 2).parameters()).shape; // [22]
 */
export function parametersToVector(parameters: Iterable<Tensor>): Tensor {
  parametersTakes.check('parametersToVector', arguments);
  const list = checked('parametersToVector', parameters);
  return scope(() => cat(list.map((parameter) => parameter.view(-1))));
}

/**
 * Gives parameters the values of a vector, of which they are parts afterwards. As
 * `torch.nn.utils.vector_to_parameters`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a vector that is no tensor, and for parameters on several devices.
 * @example
 * import { nn, tensor } from 'aiforge';
 * const layer = new nn.Linear(2, 1);
 * nn.utils.vectorToParameters(tensor([0.5, 2, 3]), layer.parameters());
 * layer.weight.tolist(); // [[0.5, 2]]
 * layer.bias.tolist(); // [3]
 */
export function vectorToParameters(vector: Tensor, parameters: Iterable<Tensor>): void {
  vectorTakes.check('vectorToParameters', arguments);
  const list = checked('vectorToParameters', parameters);
  scope(() =>
    noGrad(() => {
      let at = 0;
      for (const parameter of list) {
        const size = parameter.numel();
        parameter.setData(vector.at(`${at}:${at + size}`).viewAs(parameter));
        at += size;
      }
    }),
  );
}
