import { refuseAssignments } from '../refusedAssignment.js';
import { Optimizer } from './optimizer.js';

const groupsHaveRates = 'for (const group of optimizer.paramGroups) group.lr = …';
refuseAssignments(Optimizer, {
  lr: groupsHaveRates,
  learningRate: groupsHaveRates,
  learning_rate: groupsHaveRates,
});
