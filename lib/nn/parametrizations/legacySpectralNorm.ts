import { signature } from '../../signature.js';
import { noGrad } from '../../autograd/modes.js';
import { keep, scope } from '../../tensor/memory/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Module } from '../module.js';
import { addHook, removeHook } from '../hooks/moduleHooks.js';
import { refuse } from '../modules/containers.js';
import { Parameter } from '../parameter.js';
import { hooksOf, setMember } from '../members/registry.js';
import { parameterOf } from './legacyWeightNorm.js';
import {
  checkIterations,
  drawUnit,
  outputDim,
  toMatrix,
  unit,
  spectralNormOptions,
  type SpectralNormOptions,
} from './powerIteration.js';
import { moduleKind } from '../moduleKinds.js';
import { optional, string } from '../../kinds.js';

type Update = (module: Module) => void;

class Method {
  readonly property: string;
  private readonly iterations: number;
  private readonly dim: number;
  private readonly eps: number;
  readonly hook: Update = (module) => {
    Reflect.set(module, this.property, keep(this.compute(module, module.training)));
  };

  constructor(property: string, iterations: number, dim: number, eps: number) {
    this.property = property;
    this.iterations = iterations;
    this.dim = dim;
    this.eps = eps;
  }

  compute(module: Module, iterate: boolean): Tensor {
    const [weight, u, v] = ['Orig', 'U', 'V'].map((end) => Reflect.get(module, this.property + end) as Tensor);
    const matrix = toMatrix(weight!, this.dim);
    if (!iterate) return weight!.div(u!.dot(matrix.mv(v!)));
    scope(() =>
      noGrad(() => {
        for (let i = 0; i < this.iterations; ++i) {
          v!.copy_(unit(matrix.t().mv(u!), this.eps));
          u!.copy_(unit(matrix.mv(v!), this.eps));
        }
      }),
    );
    // Copies: another forward pass may change the vectors before the backward pass of this one.
    const left = u!.clone();
    return weight!.div(left.dot(matrix.mv(v!.clone())));
  }

  add(module: Module, weight: Parameter): void {
    const { property, dim, eps } = this;
    scope(() => {
      const [height, width] = noGrad(() => toMatrix(weight, dim)).shape;
      const [u, v] = [drawUnit(weight, height!, eps), drawUnit(weight, width!, eps)];
      module[setMember](property, undefined);
      module.registerParameter(`${property}Orig`, weight);
      Reflect.set(module, property, keep(weight.detach()));
      module.registerBuffer(`${property}U`, u);
      module.registerBuffer(`${property}V`, v);
    });
    addHook(module, 'forwardPre', this.hook);
  }
}

const methods = new WeakMap<Update, Method>();

function methodOf(module: Module, property: string): Method | undefined {
  const all = [...(hooksOf<Update>(module, 'forwardPre') ?? [])].flatMap((hook) => methods.get(hook) ?? []);
  return all.find((method) => method.property === property);
}

const takes = signature({ module: moduleKind }, spectralNormOptions);

/**
 * Divides a weight, which `weightOrig` is learnt in the place of, by an estimate of its largest singular value before
 * every `forward`. As `torch.nn.utils.spectral_norm`; `nn.utils.parametrizations.spectralNorm` is the newer way.
 *
 * @example
 * import { nn } from 'aiforge';
 * const layer = nn.utils.spectralNorm(new nn.Linear(20, 40));
 * Object.keys(layer.stateDict()); // ['bias', 'weight_orig', 'weight_u', 'weight_v']
 */
export function spectralNorm<M extends Module>(module: M, options: SpectralNormOptions = {}): M {
  takes.check('spectralNorm', arguments);
  const { name = 'weight', nPowerIterations = 1, eps = 1e-12, dim = null } = options;
  if (methodOf(module, name) !== undefined) refuse(`spectralNorm: '${name}' has a spectral norm already.`);
  const [property, weight] = parameterOf('spectralNorm', module, name);
  const method = new Method(property, checkIterations(nPowerIterations), dim ?? outputDim(module), eps);
  methods.set(method.hook, method);
  method.add(module, weight);
  return module;
}

const removeTakes = signature({ module: moduleKind, name: optional(string) });

/**
 * Takes the spectral norm away; the weight is a parameter again. As `torch.nn.utils.remove_spectral_norm`.
 *
 * @throws AiforgeError INVALID_ARGUMENT when the weight has no spectral norm.
 * @example
 * import { nn } from 'aiforge';
 * const layer = nn.utils.spectralNorm(new nn.Linear(20, 40));
 * Object.keys(nn.utils.removeSpectralNorm(layer).stateDict()); // ['bias', 'weight']
 */
export function removeSpectralNorm<M extends Module>(module: M, name = 'weight'): M {
  removeTakes.check('removeSpectralNorm', arguments);
  const method =
    methodOf(module, name) ?? refuse(`removeSpectralNorm: '${name}' of ${module.constructor.name} has none.`);
  scope(() => {
    const weight = noGrad(() => method.compute(module, false));
    for (const end of ['', 'U', 'V', 'Orig']) module[setMember](name + end, undefined);
    module.registerParameter(name, new Parameter(weight));
  });
  removeHook(module, 'forwardPre', method.hook);
  return module;
}
