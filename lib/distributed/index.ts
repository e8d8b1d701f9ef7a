export { isGlooAvailable, isNcclAvailable, type Backend } from './backend.js';
export {
  abortProcessGroup,
  allGather,
  allReduce,
  barrier,
  broadcast,
  broadcastBytes,
  broadcastObject,
  defaultProcessGroup,
  destroyProcessGroup,
  getBackend,
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
export type { FlightRecord, FlightRecordEntry } from './flightRecord.js';
export type { NcclConfig, NcclOptions } from './ncclOptions.js';
export type { P2POp } from './p2pOp.js';
export type { CallOptions } from './collectives/calls.js';
export {
  allGatherIntoTensor,
  allGatherObject,
  allToAll,
  allToAllSingle,
  batchIsendIrecv,
  gather,
  gatherObject,
  irecv,
  isend,
  monitoredBarrier,
  recv,
  recvObject,
  reduce,
  reduceScatter,
  reduceScatterTensor,
  scatter,
  scatterObjectList,
  send,
  sendObject,
  type InGroup,
} from './collectives/ofDefaultGroup.js';
export type { Work } from './collectives/work.js';
export type {
  AllToAllOptions,
  AllToAllSingleOptions,
  BarrierOptions,
  MessageOptions,
  MonitoredBarrierOptions,
  ProcessGroupOptions,
  ReduceOptions,
} from './groupOptions.js';
export { ProcessGroup } from './processGroup.js';
export type { PremulSum, ReduceOp } from './reduceOp.js';
export { TCPStore, type TCPStoreOptions } from './store.js';
export { GroupRanks, joinRanks, type JoinOptions } from './ranks.js';
export { launch, type LaunchOptions, type LaunchResult, type RankOutcome } from './launch.js';
