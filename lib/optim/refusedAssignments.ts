import { refuseAssignments } from '../refusedAssignment.js';
import { Adadelta } from './adadelta.js';
import { Adafactor } from './adafactor.js';
import { Adagrad } from './adagrad.js';
import { Adam, AdamW } from './adam.js';
import { Adamax } from './adamax.js';
import { ASGD } from './asgd.js';
import { LBFGS } from './lbfgs.js';
import { Muon } from './muon.js';
import { NAdam } from './nadam.js';
import { Optimizer } from './optimizer.js';
import { RAdam } from './radam.js';
import { RMSprop } from './rmsprop.js';
import { Rprop } from './rprop.js';
import { SGD } from './sgd.js';
import { SparseAdam } from './sparseAdam.js';

// An optimizer of a user's own may have a property of such a name, and read it.
const own: ReadonlySet<unknown> = new Set([
  Adadelta,
  Adafactor,
  Adagrad,
  Adam,
  AdamW,
  Adamax,
  ASGD,
  LBFGS,
  Muon,
  NAdam,
  RAdam,
  RMSprop,
  Rprop,
  SGD,
  SparseAdam,
]);

const inGroups = (name: string): string => `for (const group of optimizer.paramGroups) group.${name} = …`;

refuseAssignments(
  Optimizer,
  {
    lr: inGroups('lr'),
    learningRate: inGroups('lr'),
    learning_rate: inGroups('lr'),
    momentum: inGroups('momentum'),
    weightDecay: inGroups('weightDecay'),
    weight_decay: inGroups('weightDecay'),
    betas: inGroups('betas'),
    param_groups: 'into optimizer.paramGroups',
  },
  (type) => own.has(type),
);
