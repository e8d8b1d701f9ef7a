import { AiforgeError } from '../errors.js';
import { shapesOf, type ProfilerEvent } from './events.js';
import type { Recorded } from './recording.js';

/** The events of one name, or of one name and shapes of inputs. Times are in microseconds. */
export interface OperatorAverage {
  name: string;
  /** How many there are. */
  count: number;
  /** Without the events inside them. */
  selfCpuTimeTotal: number;
  cpuTimeTotal: number;
  /** Bytes that they allocated less those they freed. */
  selfCpuMemoryUsage: number;
  cpuMemoryUsage: number;
  selfDeviceMemoryUsage: number;
  deviceMemoryUsage: number;
  /** Null unless calls were told apart by them. */
  inputShapes: readonly unknown[] | null;
}

/** The name under which PyTorch shows what is allocated and freed outside all operators. */
const outsideName = '[memory]';

export function averagesOf({ events, options, outside }: Recorded, byShapes: boolean): OperatorAverage[] {
  if (byShapes && !options.shapes) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      'groupByInputShapes: shapes were not recorded. Profile with { recordShapes: true }.',
    );
  }
  const averages = new Map<string, OperatorAverage>();
  for (const event of events) {
    const shapes = byShapes ? shapesOf(event.inputs) : null;
    const key = shapes === null ? event.name : `${event.name}\n${JSON.stringify(shapes)}`;
    let average = averages.get(key);
    if (average === undefined) averages.set(key, (average = emptyAverage(event.name, shapes)));
    add(average, event);
  }
  if (options.memory && (outside.cpuBytes !== 0 || outside.deviceBytes !== 0)) {
    const { cpuBytes, deviceBytes } = outside;
    averages.set(outsideName, {
      ...emptyAverage(outsideName, byShapes ? [] : null),
      selfCpuMemoryUsage: cpuBytes,
      cpuMemoryUsage: cpuBytes,
      selfDeviceMemoryUsage: deviceBytes,
      deviceMemoryUsage: deviceBytes,
    });
  }
  return [...averages.values()];
}

function emptyAverage(name: string, inputShapes: readonly unknown[] | null): OperatorAverage {
  return {
    name,
    count: 0,
    selfCpuTimeTotal: 0,
    cpuTimeTotal: 0,
    selfCpuMemoryUsage: 0,
    cpuMemoryUsage: 0,
    selfDeviceMemoryUsage: 0,
    deviceMemoryUsage: 0,
    inputShapes,
  };
}

function add(average: OperatorAverage, event: ProfilerEvent): void {
  ++average.count;
  // What a range waits for is no work of its own.
  if (event.kind !== 'asyncRange') average.selfCpuTimeTotal += event.selfDuration;
  average.cpuTimeTotal += event.duration;
  average.selfCpuMemoryUsage += event.selfCpuBytes;
  average.cpuMemoryUsage += event.cpuBytes;
  average.selfDeviceMemoryUsage += event.selfDeviceBytes;
  average.deviceMemoryUsage += event.deviceBytes;
}
