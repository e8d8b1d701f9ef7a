// Table of contents of `optim.swaUtils`.
export { AveragedModel, type AveragedModelOptions } from './averagedModel.js';
export {
  getEmaAvgFn,
  getEmaMultiAvgFn,
  getSwaAvgFn,
  getSwaMultiAvgFn,
  type AverageFunction,
  type MultiAverageFunction,
} from './averagingFunctions.js';
export { updateBn, type UpdateBnOptions } from './updateBn.js';
export { SWALR, type SWALROptions } from './averagingLr.js';
