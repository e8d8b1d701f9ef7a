import { kind, type Kind } from '../kinds.js';
import { Optimizer } from './optimizer.js';

export const optimizerKind: Kind<Optimizer> = kind('an Optimizer', (value) => value instanceof Optimizer);
