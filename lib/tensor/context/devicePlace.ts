import { mirror, native } from '../../native.js';

declare const kind: unique symbol;
/** A stream of the addon. */
export interface NativeStream {
  readonly [kind]: 'Stream';
}

interface NativeDevices {
  deviceCount(): number;
  deviceIndex(device: number | null): number;
  setDevice(device: number): void;
  currentStream(device: number | null): NativeStream;
  /** Its device becomes the current one too. */
  setCurrentStream(stream: NativeStream): void;
}

const devices = (native as unknown as { cuda: NativeDevices }).cuda;

/** Where the CUDA operators of a context go: the current device, and each device's current stream. */
export interface DevicePlace {
  /** Where to look for what this one leaves open. */
  readonly outer: DevicePlace | null;
  /** Null leaves it open; in the outermost place: it is as the addon has it. */
  device: number | null;
  streams: ReadonlyMap<number, NativeStream> | null;
}

/** A place with whatever the addon has now. */
export function foundPlace(): DevicePlace {
  return { outer: null, device: null, streams: null };
}

const applied = mirror('place', () => {
  const place = foundPlace();
  return { first: place, place };
});

/** The outermost place, of all copies of the library: it knows what to go back to. */
export const firstPlace = applied.first;

/** A place with another device, or with another stream and its device. */
export function placeWithin(outer: DevicePlace, device: number, stream: NativeStream | null): DevicePlace {
  return { outer, device, streams: stream === null ? null : new Map([[device, stream]]) };
}

/** Makes it the addon's. */
export function applyPlace(place: DevicePlace): void {
  if (place === applied.place) return;
  if (devices.deviceCount() > 0) goTo(place);
  else applied.place = place; // all places are alike where there is no device
}

function goTo(place: DevicePlace): void {
  const [before, streams] = [streamsOf(applied.place), streamsOf(place)];
  const base = baseOf(applied.place);
  // What the places so far left open is as it was found, to be gone back to.
  base.device ??= devices.deviceIndex(null);
  for (const index of streams.keys()) {
    if (!before.has(index)) base.streams = new Map(base.streams).set(index, devices.currentStream(index));
  }
  for (const index of new Set([...streams.keys(), ...before.keys()])) {
    const stream = streams.get(index);
    if (stream !== undefined) devices.setCurrentStream(stream);
  }
  applied.place = place;
  const device = deviceOf(place);
  if (device !== null) devices.setDevice(device);
}

/** Has the current device of a place be another one from now on. */
export function moveTo(place: DevicePlace, device: number): void {
  devices.setDevice(device);
  place.device = device;
}

/** The place that the addon has now, though nobody applied it; returns the one before. */
export function foundAt(place: DevicePlace): DevicePlace {
  const before = applied.place;
  applied.place = place;
  return before;
}

function baseOf(place: DevicePlace): DevicePlace {
  return place.outer === null ? place : baseOf(place.outer);
}

function deviceOf({ device, outer }: DevicePlace): number | null {
  return device ?? (outer === null ? null : deviceOf(outer));
}

function streamsOf(place: DevicePlace): Map<number, NativeStream> {
  const streams = new Map<number, NativeStream>();
  for (let at: DevicePlace | null = place; at !== null; at = at.outer) {
    for (const [index, stream] of at.streams ?? []) if (!streams.has(index)) streams.set(index, stream);
  }
  return streams;
}
