/** What an event is: an operator of LibTorch, a node of the backward pass, a range, or a module's `forward`. */
export type EventKind = 'operator' | 'backward' | 'range' | 'asyncRange' | 'module';

/** A value that an operator took or gave, as far as it is recorded; null for what is not. */
export type RecordedValue =
  | { kind: 'tensor'; shape: readonly number[] }
  | { kind: 'tensors'; shapes: readonly (readonly number[])[] }
  | { kind: 'number'; value: number }
  | { kind: 'numbers'; values: readonly number[] }
  | null;

/** One call of an operator, or one run of a range. */
export interface ProfilerEvent {
  /** `aten::addmm`, or the name that a range was given. */
  name: string;
  kind: EventKind;
  /** Microseconds since the recording began. */
  start: number;
  /** Microseconds. */
  duration: number;
  /** The duration without that of the events inside it. */
  selfDuration: number;
  /** The event that it is in, on the same thread. */
  parent: ProfilerEvent | null;
  /** LibTorch's number of the thread, and whether that is the one which began the recording. */
  thread: number;
  isOwnThread: boolean;
  /** The number by which an operator and its node of the backward pass belong together; null where there is none. */
  sequence: number | null;
  /** The thread of that operator, for a node of the backward pass. */
  forwardThread: number;
  /** Bytes that it allocated less those it freed, with the events inside it. */
  cpuBytes: number;
  selfCpuBytes: number;
  deviceBytes: number;
  selfDeviceBytes: number;
  /** Null unless shapes were recorded. */
  inputs: readonly RecordedValue[] | null;
  outputs: readonly RecordedValue[] | null;
}

/** What the addon gives at the end: rows of columns, and the numbers of values. */
export interface RawRecording {
  rows: Float64Array;
  numbers: Float64Array;
  threads: { id: number; names: string[]; cpuBytes: number; deviceBytes: number }[];
  /** The thread that recorded. */
  thread: number;
  /** Nanoseconds. */
  end: number;
  /** The most bytes that there were at a time beyond those at the beginning. */
  cpuPeak: number;
  devicePeak: number;
  dropped: number;
}

const columns = 12;

// LibTorch's RecordScope, and the addon's own.
const kinds: Readonly<Record<number, EventKind>> = {
  0: 'operator',
  1: 'backward',
  7: 'range',
  100: 'asyncRange',
  101: 'module',
};

/** The events in the order in which they began on their threads, each after the one that it is in. */
export function readEvents(raw: RawRecording): ProfilerEvent[] {
  const all: ProfilerEvent[] = [];
  for (let at = 0; at < raw.rows.length; at += columns)
    all.push(readEvent(raw, raw.rows.subarray(at, at + columns), all));
  const events = withoutInnerSelves(all);
  // From the inside out: children come after what they are in.
  for (let i = events.length - 1; i >= 0; --i) {
    const { parent, duration, cpuBytes, deviceBytes } = events[i]!;
    if (parent === null) continue;
    if (parent.kind !== 'asyncRange') parent.selfDuration -= duration;
    parent.cpuBytes += cpuBytes;
    parent.deviceBytes += deviceBytes;
  }
  return events;
}

/** An operator that does nothing but call one of its own name, such as another overload, is one with it, as in PyTorch's lists. */
function withoutInnerSelves(events: ProfilerEvent[]): ProfilerEvent[] {
  const children = new Map<ProfilerEvent, number>();
  for (const { parent } of events) if (parent !== null) children.set(parent, (children.get(parent) ?? 0) + 1);
  const outer = new Map<ProfilerEvent, ProfilerEvent>();
  return events.filter((event) => {
    const { parent } = event;
    if (parent === null) return true;
    const isInner = parent.kind === event.kind && parent.name === event.name && children.get(parent) === 1;
    event.parent = outer.get(parent) ?? parent;
    if (!isInner) return true;
    outer.set(event, event.parent);
    event.parent.cpuBytes += event.cpuBytes;
    event.parent.selfCpuBytes += event.selfCpuBytes;
    event.parent.deviceBytes += event.deviceBytes;
    event.parent.selfDeviceBytes += event.selfDeviceBytes;
    return false;
  });
}

function readEvent(raw: RawRecording, row: Float64Array, before: readonly ProfilerEvent[]): ProfilerEvent {
  const [name, parent, thread, kind, start, end, sequence, forwardThread, cpu, device, inputs, outputs] =
    row as unknown as number[];
  const { id, names } = raw.threads[thread!]!;
  // What still runs when the recording ends, such as a pass beside, ends with it here.
  const duration = ((end! < 0 ? raw.end : end!) - start!) / 1000;
  return {
    name: names[name!]!,
    kind: kinds[kind!] ?? 'range',
    start: start! / 1000,
    duration,
    selfDuration: duration,
    parent: parent! < 0 ? null : before[parent!]!,
    thread: id,
    isOwnThread: id === raw.thread,
    sequence: sequence! < 0 ? null : sequence!,
    forwardThread: forwardThread!,
    cpuBytes: cpu!,
    selfCpuBytes: cpu!,
    deviceBytes: device!,
    selfDeviceBytes: device!,
    inputs: inputs! < 0 ? null : readValues(raw.numbers, inputs!),
    outputs: outputs! < 0 ? null : readValues(raw.numbers, outputs!),
  };
}

/** How many values there are, then each as its kind and what that kind has: native/profiler/values.h. */
function readValues(numbers: Float64Array, at: number): RecordedValue[] {
  let next = at;
  const take = (): number => numbers[next++]!;
  const takeMany = (): number[] => Array.from({ length: Math.max(0, take()) }, take);
  const takeValue = (): RecordedValue => {
    switch (take()) {
      case 1:
        return { kind: 'tensor', shape: takeMany() };
      case 2:
        return { kind: 'tensors', shapes: Array.from({ length: take() }, takeMany) };
      case 3:
        return { kind: 'number', value: take() };
      case 4:
        return { kind: 'numbers', values: takeMany() };
      default:
        return null;
    }
  };
  return Array.from({ length: take() }, takeValue);
}

/** The shapes of the tensors among values, as PyTorch's profiler shows them: `[]` for what is no tensor. */
export function shapesOf(values: readonly RecordedValue[] | null): readonly unknown[] {
  return (values ?? []).map((value) => {
    if (value?.kind === 'tensor') return value.shape;
    return value?.kind === 'tensors' ? value.shapes : [];
  });
}
