export { isGlooAvailable, isNcclAvailable, type Backend } from './backend.js';
export {
  allGather,
  allGatherIntoTensor,
  allReduce,
  allReduceCoalesced,
  allToAll,
  allToAllSingle,
  barrier,
  batchIsendIrecv,
  broadcast,
  gather,
  irecv,
  isend,
  monitoredBarrier,
  recv,
  reduce,
  reduceScatter,
  reduceScatterTensor,
  scatter,
  send,
} from './defaultCollectives.js';
export { getBackend, getRank, getWorldSize, type GroupOption } from './defaultGroup.js';
export {
  allGatherObject,
  broadcastBytes,
  broadcastObject,
  gatherObject,
  recvObject,
  scatterObjectList,
  sendObject,
} from './defaultObjectCollectives.js';
export { DeviceMesh, initDeviceMesh, type MeshDeviceType } from './deviceMesh.js';
export type { CommHook, PowerSGDOptions } from './ddp/commHooks.js';
export { DistributedDataParallel } from './ddp/distributedDataParallel.js';
export type { UnevenInputsOptions } from './ddp/join.js';
export type { DdpLoggingData } from './ddp/loggingData.js';
export type { DistributedDataParallelOptions, TrainableModule } from './ddp/options.js';
export type { FlightRecord, FlightRecordEntry } from './flightRecord.js';
export type { NcclConfig, NcclOptions } from './ncclOptions.js';
export {
  abortProcessGroup,
  destroyProcessGroup,
  initProcessGroup,
  isInitialized,
  type InitProcessGroupOptions,
} from './initProcessGroup.js';
export type { InitMethod } from './initMethod.js';
export type { P2POp } from './p2pOp.js';
export type { CallOptions } from './collectives/calls.js';
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
export { FileStore, type FileStoreOptions } from './stores/fileStore.js';
export { HashStore } from './stores/hashStore.js';
export { PrefixStore } from './stores/prefixStore.js';
export { Store, type QueuePopOptions } from './stores/store.js';
export { TCPStore, type TCPStoreOptions } from './stores/tcpStore.js';
export {
  getGlobalRank,
  getGroupRank,
  getProcessGroupRanks,
  newGroup,
  newSubgroups,
  newSubgroupsByEnumeration,
  splitGroup,
  type NewGroupOptions,
  type SplitGroupOptions,
} from './subgroups.js';
export { defaultProcessGroup } from './world.js';
export { GroupRanks, joinRanks, type JoinOptions } from './ranks.js';
export { launch, type LaunchOptions, type LaunchResult, type RankOutcome } from './launch.js';
