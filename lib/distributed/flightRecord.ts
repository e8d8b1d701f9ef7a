import { nativeDistributed, type NativeGroup } from './native.js';

/** One collective that c10d has recorded, under c10d's own names; those that are not listed are there as well. */
export interface FlightRecordEntry {
  record_id: number;
  /** The name of the group, and its description. */
  process_group: [name: string, description: string];
  /** Such as `gloo:all_reduce` or `nccl:all_reduce`. */
  profiling_name: string;
  /** Its number among the group's collectives, from 1. */
  collective_seq_id: number;
  p2p_seq_id: number;
  state: 'scheduled' | 'started' | 'completed';
  input_sizes: number[][];
  input_dtypes: string[];
  output_sizes: number[][];
  output_dtypes: string[];
  time_created_ns: number;
  timeout_ms: number;
  is_p2p: boolean;
  /** Over Gloo: what was called, and where, such as `allReduce(sum) of float32[3] at train.mjs:10:7`. */
  call?: string;
  [name: string]: unknown;
}

/** What c10d's flight recorder has, as `torch._C._distributed_c10d._dump_nccl_trace_json` gives it. */
export interface FlightRecord {
  version: string;
  entries: FlightRecordEntry[];
  pg_config: Record<string, unknown>;
  pg_status: Record<string, unknown>;
  [name: string]: unknown;
}

/** The record of one group: c10d keeps one of Gloo and one of NCCL for all groups of the process. */
export function flightRecordOf(group: NativeGroup, name: string, isNccl: boolean, onlyActive: boolean): FlightRecord {
  const record = JSON.parse(nativeDistributed.flightRecord(isNccl, isNccl && onlyActive)) as Partial<FlightRecord>;
  const own = (record.entries ?? []).filter(({ process_group: [each] }) => each === name);
  const entries = isNccl ? own : asRemembered(group, own).filter(({ state }) => !onlyActive || state !== 'completed');
  return { version: '', pg_config: {}, pg_status: {}, ...record, entries };
}

/** c10d notes of Gloo's collectives that they were begun, not that they ended, and takes the tag for the number. */
function asRemembered(group: NativeGroup, entries: FlightRecordEntry[]): FlightRecordEntry[] {
  const remembered = new Map(nativeDistributed.collectiveHistory(group).map((each) => [each.recorded, each]));
  return entries.map((entry) => {
    const found = remembered.get(entry.collective_seq_id);
    if (found === undefined) return entry;
    const { number, isCompleted, text } = found;
    return { ...entry, collective_seq_id: number, state: isCompleted ? 'completed' : 'started', call: text };
  });
}
