import { native, type Handle } from '../native.js';
import { enterContext } from '../tensor/context/context.js';
import type { NativeStream } from '../tensor/context/devicePlace.js';

export type { NativeStream };

// Objects of the addon: JavaScript can only hand them back.
declare const kind: unique symbol;
export interface NativeEvent {
  readonly [kind]: 'Event';
}
export interface NativeGraph {
  readonly [kind]: 'CUDAGraph';
}

export interface NativePool {
  readonly [kind]: 'MemoryPool';
}

interface NativeCuda {
  deviceCount(): number;
  /** A device's number, that of the current one for null; throws DEVICE_UNAVAILABLE for one that is not there. */
  deviceIndex(device: number | null): number;
  synchronize(device: number | null): void;
  synchronizeBeside(device: number | null): Promise<void>;
  memoryStats(device: number | null): Record<string, number>;
  resetPeakMemoryStats(device: number | null): void;
  resetAccumulatedMemoryStats(device: number | null): void;
  emptyCache(): void;
  memGetInfo(device: number | null): [free: number, total: number];
  openStream(device: number | null, priority: number): NativeStream;
  currentStream(device: number | null): NativeStream;
  defaultStream(device: number | null): NativeStream;
  streamInfo(stream: NativeStream): { id: number | bigint; device: number };
  streamQuery(stream: NativeStream): boolean;
  streamSynchronize(stream: NativeStream): void;
  streamSynchronizeBeside(stream: NativeStream): Promise<void>;
  recordStream(tensor: Handle, stream: NativeStream): void;
  openEvent(enableTiming: boolean): NativeEvent;
  eventRecord(event: NativeEvent, stream: NativeStream): void;
  eventBlock(event: NativeEvent, stream: NativeStream): void;
  eventQuery(event: NativeEvent): boolean;
  eventSynchronize(event: NativeEvent): void;
  eventSynchronizeBeside(event: NativeEvent): Promise<void>;
  eventElapsed(start: NativeEvent, end: NativeEvent): number;
}

/** What only the CUDA flavour has, since it needs CUDA's own headers. */
interface NativeOfFlavour {
  deviceProperties(device: number | null): DeviceProperties;
  ncclVersion(): number;
  openGraph(): NativeGraph;
  /** A number for memory that graphs share. */
  openPool(): NativePool;
  poolOf(graph: NativeGraph): NativePool;
  captureBegin(graph: NativeGraph, pool: NativePool | null, mode: string): void;
  isCapturing(): boolean;
  registerGenerator(graph: NativeGraph, generator: number): void;
  captureEnd(graph: NativeGraph): void;
  replay(graph: NativeGraph): void;
  resetGraph(graph: NativeGraph): void;
  memoryFraction(device: number | null): number;
  setMemoryFraction(device: number | null, fraction: number): void;
  memorySnapshot(): MemorySegment[];
}

/** What a GPU is and has. */
export interface DeviceProperties {
  name: string;
  /** The compute capability is `major.minor`. */
  major: number;
  minor: number;
  /** Bytes. */
  totalMemory: number;
  multiProcessorCount: number;
  warpSize: number;
  /** Bytes. */
  l2CacheSize: number;
  isIntegrated: boolean;
}

/** A stretch of a GPU's memory that the allocator has of the driver; sizes and addresses are in bytes. */
export interface MemorySegment {
  device: number;
  address: bigint;
  totalSize: number;
  /** Of tensors. */
  allocatedSize: number;
  /** Of tensors, and what a stream still works on. */
  activeSize: number;
  /** As it was asked for, before rounding. */
  requestedSize: number;
  isLarge: boolean;
  isExpandable: boolean;
  blocks: MemoryBlock[];
}

/** A part of a segment. */
export interface MemoryBlock {
  size: number;
  requestedSize: number;
  state: 'allocated' | 'pendingFree' | 'free';
}

const addon = (native as unknown as { cuda: NativeCuda & Partial<NativeOfFlavour> }).cuda;

/** Whether the addon was built for CUDA; a driver and a GPU may still be missing. */
export const isCudaFlavour = addon.openGraph !== undefined;

/** The addon's part for CUDA, with the device and the stream of the running code. */
export function nativeCuda(): NativeCuda {
  enterContext();
  return addon;
}

/** What only the CUDA flavour has. Throws DEVICE_UNAVAILABLE in a build for the CPU. */
export function flavour(): NativeOfFlavour {
  if (!isCudaFlavour) addon.deviceIndex(null);
  enterContext();
  return addon as NativeOfFlavour;
}
