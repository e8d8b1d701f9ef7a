export {
  allGather,
  allReduce,
  barrier,
  broadcast,
  broadcastBytes,
  broadcastObject,
  defaultProcessGroup,
  destroyProcessGroup,
  getRank,
  getWorldSize,
  initProcessGroup,
  isInitialized,
  type InitProcessGroupOptions,
} from './defaultGroup.js';
export {
  DistributedDataParallel,
  type DistributedDataParallelOptions,
  type TrainableModule,
} from './distributedDataParallel.js';
export { ProcessGroup, type Backend, type ProcessGroupOptions, type ReduceOp } from './processGroup.js';
export { TCPStore, type TCPStoreOptions } from './store.js';
export { GroupRanks, joinRanks, type JoinOptions } from './ranks.js';
export { launch, type LaunchOptions, type LaunchResult, type RankOutcome } from './launch.js';
