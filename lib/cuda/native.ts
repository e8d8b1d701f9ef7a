import { native, type Handle } from '../native.js';

// Objects of the addon: JavaScript can only hand them back.
declare const kind: unique symbol;
export interface NativeStream {
  readonly [kind]: 'Stream';
}
export interface NativeEvent {
  readonly [kind]: 'Event';
}
export interface NativeGraph {
  readonly [kind]: 'CUDAGraph';
}

interface NativeCuda {
  deviceCount(): number;
  /** A device's number, that of the current one for null; throws DEVICE_UNAVAILABLE for one that is not there. */
  deviceIndex(device: number | null): number;
  setDevice(device: number): void;
  synchronize(device: number | null): void;
  memoryStats(device: number | null): Record<string, number>;
  resetPeakMemoryStats(device: number | null): void;
  emptyCache(): void;
  memGetInfo(device: number | null): [free: number, total: number];
  openStream(device: number | null, priority: number): NativeStream;
  currentStream(device: number | null): NativeStream;
  defaultStream(device: number | null): NativeStream;
  setCurrentStream(stream: NativeStream): void;
  streamInfo(stream: NativeStream): { id: number | bigint; device: number };
  streamQuery(stream: NativeStream): boolean;
  streamSynchronize(stream: NativeStream): void;
  recordStream(tensor: Handle, stream: NativeStream): void;
  openEvent(enableTiming: boolean): NativeEvent;
  eventRecord(event: NativeEvent, stream: NativeStream): void;
  eventBlock(event: NativeEvent, stream: NativeStream): void;
  eventQuery(event: NativeEvent): boolean;
  eventSynchronize(event: NativeEvent): void;
  eventElapsed(start: NativeEvent, end: NativeEvent): number;
}

/** What only the CUDA flavour has, since it needs CUDA's own headers. */
interface NativeOfFlavour {
  deviceProperties(device: number | null): DeviceProperties;
  ncclVersion(): number;
  openGraph(): NativeGraph;
  captureBegin(graph: NativeGraph, poolOf: NativeGraph | null, mode: string): void;
  captureEnd(graph: NativeGraph): void;
  replay(graph: NativeGraph): void;
  resetGraph(graph: NativeGraph): void;
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

const addon = (native as unknown as { cuda: NativeCuda & Partial<NativeOfFlavour> }).cuda;

export const nativeCuda: NativeCuda = addon;

/** Whether the addon was built for CUDA; a driver and a GPU may still be missing. */
export const isCudaFlavour = addon.openGraph !== undefined;

/** The part of the CUDA flavour. Throws DEVICE_UNAVAILABLE in a build for the CPU. */
export function flavour(): NativeOfFlavour {
  if (!isCudaFlavour) addon.deviceIndex(null);
  return addon as NativeOfFlavour;
}
