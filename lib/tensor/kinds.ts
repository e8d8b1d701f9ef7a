import { kind, type Kind } from '../kinds.js';
import { Generator } from './generator.js';
import { Tensor } from './tensor.js';

// The kinds of values that tensors bring along.
export { deviceKind, dtypeKind, layoutKind } from './dtypeKinds.js';

export const tensorKind: Kind<Tensor> = kind('a Tensor', Tensor.isTensor);
export const generatorKind: Kind<Generator> = kind('a Generator', (value) => Generator.idOf(value) !== undefined);
