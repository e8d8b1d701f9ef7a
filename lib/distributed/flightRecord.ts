import { nativeDistributed } from './native.js';

/** One collective that c10d has recorded, under c10d's own names; those that are not listed are there as well. */
export interface FlightRecordEntry {
  record_id: number;
  /** The name of the group, and its description. */
  process_group: [name: string, description: string];
  /** Such as `gloo:all_reduce` or `nccl:all_reduce`. */
  profiling_name: string;
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
export function flightRecordOf(name: string, isNccl: boolean, onlyActive: boolean): FlightRecord {
  const record = JSON.parse(nativeDistributed.flightRecord(isNccl, onlyActive)) as Partial<FlightRecord>;
  const entries = (record.entries ?? []).filter(({ process_group: [group] }) => group === name);
  return { version: '', pg_config: {}, pg_status: {}, ...record, entries };
}
