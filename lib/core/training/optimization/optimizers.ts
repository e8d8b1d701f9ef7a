import { AiforgeError } from '../../../errors.js';
import { Optimizer } from '../../../optim/index.js';
import { show } from '../../../show.js';
import { isOptions } from '../../../signature.js';
import type { Tensor } from '../../../tensor/index.js';
import type { BaseModel } from '../../baseModel.js';

/** The optimizers of a model by name; one alone is `optimizer`. */
export type Optimizers = Readonly<Record<string, Optimizer>>;

/** The name of an optimizer that is alone. */
export const soleName = 'optimizer';

/** The optimizer of a model that has one, which the framework steps. */
export function onlyOptimizer(optimizers: Optimizers): { name: string; optimizer: Optimizer } {
  return { name: soleName, optimizer: optimizers[soleName]! };
}

/** What `configureOptimizers` returned, checked. Throws PLUGIN_INVALID. */
export function checkedOptimizers(given: unknown, model: BaseModel): Optimizers {
  if (isOptimizer(given)) return { [soleName]: checked(given, model, 'an optimizer') };
  if (!isOptions(given) || Object.keys(given).length === 0) {
    throw refusal(
      `or configureOptimizer must return an optimizer of aiforge/optim, or the first several by name, got ${show(given)}`,
    );
  }
  const entries = Object.entries(given).map(([name, optimizer]): [string, Optimizer] => {
    if (!/^[A-Za-z_]\w*$/.test(name)) throw refusal(`returned an optimizer under the name ${show(name)}; expected letters, digits and _`); // prettier-ignore
    if (!isOptimizer(optimizer)) throw refusal(`returned ${show(optimizer)} as '${name}'; expected an optimizer of aiforge/optim`); // prettier-ignore
    return [name, checked(optimizer, model, `the optimizer '${name}'`)];
  });
  if (model.automaticOptimization) {
    throw refusal(
      `returned several optimizers (${entries.map(([name]) => name).join(', ')}), which the framework cannot step by itself: set automaticOptimization to false in the model, and step them in trainingStep`,
    );
  }
  return Object.fromEntries(entries);
}

function isOptimizer(given: unknown): given is Optimizer {
  if (given instanceof Optimizer) return true;
  const { step, zeroGrad, paramGroups } = (given ?? {}) as Partial<Optimizer>;
  return typeof step === 'function' && typeof zeroGrad === 'function' && Array.isArray(paramGroups);
}

function checked(optimizer: Optimizer, model: BaseModel, which: string): Optimizer {
  const own = new Set<Tensor>(model.parameters());
  if (optimizer.paramGroups.some(({ params }) => params.some((parameter) => own.has(parameter)))) return optimizer;
  throw refusal(`returned ${which} of none of the model's parameters: give it this.parameters(), or some of them`);
}

function refusal(problem: string): AiforgeError {
  return new AiforgeError('PLUGIN_INVALID', `configureOptimizers ${problem}.`);
}
