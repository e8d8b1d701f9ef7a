import { AiforgeError } from '../errors.js';
import { boolean, kind, string, whole, type Kind } from '../kinds.js';
import { isOptions, signature } from '../signature.js';
import type { Backend } from './backend.js';

/** NCCL's own settings of a communicator, as `ProcessGroupNCCL.Options.config`; what is left out stays NCCL's default. */
export interface NcclConfig {
  /** Whether NCCL's calls wait until they are done; false: they return at once. */
  blocking?: boolean;
  /** The size of a cluster of thread blocks, 0 to 8. */
  cgaClusterSize?: number;
  /** The least and the most thread blocks that a collective takes. */
  minCtas?: number;
  maxCtas?: number;
  /** The network, such as `'Socket'` or `'IB'`. */
  netName?: string;
  /** Whether communicators that are split off share resources. */
  splitShare?: boolean;
  /** The traffic class of the network. */
  trafficClass?: number;
  /** The name of the communicator in NCCL's log. */
  commName?: string;
  /** Whether the network may reduce by itself. */
  collnetEnable?: boolean;
  /** `NCCL_CTA_POLICY_*` as a number: 0 default, 1 efficiency, 2 none. */
  ctaPolicy?: number;
  /** The thread blocks for NVLink SHARP. */
  nvlsCtas?: number;
}

/** As Python's `ProcessGroupNCCL.Options`. */
export interface NcclOptions {
  /** Whether NCCL's streams come before the others. Default: false. */
  isHighPriorityStream?: boolean;
  config?: NcclConfig;
}

const int32 = kind<number>(
  'a whole number of 32 bits',
  (value) => whole.accepts(value) && ((value as number) | 0) === value,
);

const configTakes = signature<NcclConfig>(
  {},
  {
    blocking: boolean,
    cgaClusterSize: int32,
    minCtas: int32,
    maxCtas: int32,
    netName: string,
    splitShare: boolean,
    trafficClass: int32,
    commName: string,
    collnetEnable: boolean,
    ctaPolicy: int32,
    nvlsCtas: int32,
  },
);

const optionsTake = signature<NcclOptions>(
  {},
  { isHighPriorityStream: boolean, config: kind<NcclConfig>('an object', isOptions) },
);

/** An object, which {@link checkNcclOptions} looks into. */
export const ncclOptionsKind: Kind<NcclOptions> = kind('an object', isOptions);

/** Throws for options that NCCL does not have, and for any where there is no NCCL. */
export function checkNcclOptions(options: NcclOptions | undefined, backend: Backend): void {
  if (options === undefined) return;
  optionsTake.checkOptions('ncclOptions', options);
  if (options.config !== undefined) configTakes.checkOptions('ncclOptions.config', options.config);
  if (backend !== 'gloo') return;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    "ncclOptions are for NCCL, and backend 'gloo' has none: leave them out, or take backend 'nccl' or 'cpu:gloo,cuda:nccl'.",
  );
}

/** As the addon takes them: one object, with only what was given. */
export function nativeNcclOptions(options: NcclOptions | undefined): Record<string, boolean | number | string> {
  const { isHighPriorityStream = false, config = {} } = options ?? {};
  const given = Object.entries(config).filter(([, value]) => value !== undefined);
  return { isHighPriorityStream, ...(Object.fromEntries(given) as Record<string, boolean | number | string>) };
}
