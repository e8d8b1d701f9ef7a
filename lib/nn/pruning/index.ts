export {
  customFromMask,
  globalUnstructured,
  identity,
  isPruned,
  l1Unstructured,
  lnStructured,
  randomStructured,
  randomUnstructured,
  remove,
  type GlobalPruneOptions,
} from './functions.js';
export { BasePruningMethod, PruningContainer, type PruneOptions, type PruningType } from './method.js';
export {
  CustomFromMask,
  Identity,
  L1Unstructured,
  LnStructured,
  RandomStructured,
  RandomUnstructured,
  type NormOrder,
} from './methods.js';
