import { kind, whole } from '../kinds.js';
import type { Device, Tensor } from '../tensor/index.js';

/** The names of the parameters whose gradients are averaged together, in order: by it the last bits of the averages of three ranks differ. */
export type GradientBuckets = readonly (readonly string[])[];

/** What a training step runs in: `aiforge/distributed` makes it average gradients over the ranks. */
export interface ParallelStep {
  /** The forward pass of a step whose gradients are to be averaged; waits for what it needs of other ranks on the JavaScript thread. */
  run<T>(forward: () => T): T;
  /** As `run`, and waits beside the event loop. */
  runAsync<T>(forward: () => T): Promise<Awaited<T>>;
  /** Forward and backward of a step whose gradients stay on this rank, for accumulation. */
  noSync<T>(body: () => T): T;
  /** Gives every rank rank 0's buffers. */
  shareBuffersAsync(): Promise<void>;
  /** Averages, over the ranks, gradients that a model took by itself, in `noSync`; of a parameter that only some have used, zeros count for the others. */
  averageGradients(parameters: readonly Tensor[]): void;
  /** Whether every rank has come with the same number; every rank must ask. */
  agree(number: number): boolean;
  /** How gradients are averaged from now on, so that a run which goes on does it in the same order; null while that is not known. */
  gradientBuckets?(): GradientBuckets | null;
}

/** What a model must have to be trained by several ranks. */
export interface ParallelModel {
  namedParameters(): Iterable<[string, Tensor]>;
  buffers(): Iterable<Tensor>;
  forward(...args: never[]): unknown;
}

/** As those of `DistributedDataParallel` of the same names. */
export interface ParallelOptions {
  /** Lets a step leave parameters out. Default: false. */
  findUnusedParameters?: boolean;
  bucketCapMb?: number;
  staticGraph?: boolean;
  broadcastBuffers?: boolean;
  gradientAsBucketView?: boolean;
  batchedGradCopy?: boolean;
  skipAllReduceUnusedParams?: boolean;
  /** What gradients travel as, as `registerCommHook` takes it. Default: as they are. */
  commHook?: 'allreduce' | 'fp16' | 'bf16' | 'powerSGD';
  /** What `ParallelStep.gradientBuckets` gave in the run that goes on. Default: as in a first step. */
  gradientBuckets?: GradientBuckets;
  /** Options of the hook `'powerSGD'`. Default: its own. */
  powerSGD?: Readonly<Record<string, number | boolean>>;
}

/** The processes that train together. */
export interface Ranks {
  /** This process among `worldSize`, from 0. */
  readonly rank: number;
  /** Processes that train together. */
  readonly worldSize: number;
  /** Waits until every rank has come here. */
  barrier(): Promise<void>;
  /** Rank 0's bytes on every rank. */
  broadcastBytes(bytes: Uint8Array | null): Promise<Uint8Array>;
  /** The sum of a tensor over the ranks, in place. */
  sum(values: Tensor): Promise<Tensor>;
  /** The tensor of every rank, in their order. */
  gather(values: Tensor): Promise<Tensor[]>;
  /** Gives every rank rank 0's parameters, and averages gradients from now on. */
  parallelize(model: ParallelModel, options?: ParallelOptions): Promise<ParallelStep>;
}

const methods = ['barrier', 'broadcastBytes', 'sum', 'gather', 'parallelize'] as const satisfies (keyof Ranks)[];

export const ranksKind = kind<Ranks>(
  `ranks: an object with rank, worldSize, ${methods.join(', ')}, such as singleProcess`,
  (value) => {
    if (typeof value !== 'object' || value === null) return false;
    const { rank, worldSize } = value as Ranks;
    if (!whole.accepts(rank) || !whole.accepts(worldSize) || rank < 0 || rank >= worldSize) return false;
    return methods.every((name) => typeof (value as Ranks)[name] === 'function');
  },
);

/** A process on its own. */
export const singleProcess: Ranks = {
  rank: 0,
  worldSize: 1,
  barrier: () => Promise.resolve(),
  broadcastBytes: (bytes) => Promise.resolve(bytes ?? new Uint8Array()),
  sum: (values) => Promise.resolve(values),
  gather: (values) => Promise.resolve([values]),
  parallelize: () =>
    Promise.resolve({
      run: (forward) => forward(),
      runAsync: async <T>(forward: () => T): Promise<Awaited<T>> => await forward(),
      noSync: (body) => body(),
      shareBuffersAsync: () => Promise.resolve(),
      averageGradients: () => undefined,
      agree: () => true,
    }),
};

/** The ranks of a launcher, and how to part from them. */
export interface JoinedRanks {
  ranks: Ranks;
  leave: () => Promise<void>;
}

type Join = (device: Device) => Promise<JoinedRanks | undefined>;

let join: Join = () => Promise.resolve(undefined);

/** @internal Says how a process joins the ranks that a launcher started; `aiforge/distributed` knows. */
export function provideRanks(how: Join): void {
  join = how;
}

/** The ranks that a launcher started this process with, each of which trains on a device, or this process alone. */
export async function joinLaunchedRanks(device: Device): Promise<JoinedRanks> {
  return (await join(device)) ?? { ranks: singleProcess, leave: () => Promise.resolve() };
}
