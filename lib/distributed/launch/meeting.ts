import { AiforgeError } from '../../errors.js';
import { parseEndpoint, parseNodes, type Endpoint, type NodeRange } from './nodes.js';
import type { LaunchOptions } from './options.js';
import { resolveConf } from './rendezvousConf.js';

/** Torchrun's. */
const defaultMasterPort = 29_500;
const defaultRendezvousPort = 29_400;

/** One node, or several that are told their ranks: rank 0 listens where all expect it. */
export interface FixedMeeting {
  kind: 'fixed';
  nnodes: number;
  nodeRank: number;
  masterAddr: string;
  masterPort: number;
}

/** Nodes whose launchers find each other, decide who is which, and start again together. */
export interface ElasticMeeting {
  kind: 'elastic';
  nodes: NodeRange;
  endpoint: Endpoint;
  nodeRank: number | undefined;
  localAddr: string | undefined;
  conf: ReturnType<typeof resolveConf>;
}

export type Meeting = FixedMeeting | ElasticMeeting;

const refuse = (message: string): never => {
  throw new AiforgeError('INVALID_ARGUMENT', message);
};

export function requireInteger(name: string, value: number, minimum: number, maximum = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(value) && value >= minimum && value <= maximum) return;
  const range = maximum === Number.MAX_SAFE_INTEGER ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
  throw new AiforgeError('INVALID_ARGUMENT', `${name} is ${value}, but must be a whole number ${range}.`);
}

/** How the nodes of a launch find each other. Throws INVALID_ARGUMENT for options that contradict each other. */
export function resolveMeeting(options: LaunchOptions): Meeting {
  const nodes = parseNodes(options.nnodes ?? 1);
  if (options.masterPort !== undefined) requireInteger('masterPort', options.masterPort, 0, 65535);
  if (options.standalone === true) checkStandalone(options, nodes);
  const isFixed = options.rdzvBackend === 'static' || (options.rdzvBackend === undefined && hasPlaces(options));
  if (nodes.max === 1 || isFixed) return fixedMeeting(options, nodes);
  return elasticMeeting(options, nodes);
}

function hasPlaces({ rdzvEndpoint, nodeRank, nnodes }: LaunchOptions): boolean {
  return (rdzvEndpoint === undefined && !String(nnodes).includes(':')) || nodeRank !== undefined;
}

function checkStandalone({ rdzvEndpoint, rdzvBackend, nodeRank }: LaunchOptions, nodes: NodeRange): void {
  if (nodes.max !== 1)
    refuse(`standalone means one node, and nnodes is ${nodes.min}:${nodes.max}: leave one of them out.`);
  if (rdzvEndpoint !== undefined)
    refuse(`standalone means that no other node is met, and rdzvEndpoint is '${rdzvEndpoint}': leave one of them out.`);
  if (rdzvBackend === 'static')
    refuse("standalone is of the backend 'c10d', and rdzvBackend is 'static': leave one of them out.");
  if (nodeRank !== undefined && nodeRank !== 0)
    refuse(`standalone means one node, and nodeRank is ${nodeRank}: leave one of them out.`);
}

function fixedMeeting(options: LaunchOptions, { min, max }: NodeRange): FixedMeeting {
  if (min !== max) {
    refuse(
      `nnodes is '${min}:${max}', but with rdzvBackend 'static' the nodes are as many from the start: give rdzvEndpoint, and rdzvBackend 'c10d'.`,
    );
  }
  const { nodeRank, maxRestarts = 0, rdzvConf } = options;
  requireInteger('nodeRank', nodeRank ?? 0, 0, max - 1);
  const isAlone = max === 1;
  if (isAlone) {
    // Nobody else is to come, wherever it would be met.
    if (options.rdzvEndpoint !== undefined) parseEndpoint('rdzvEndpoint', options.rdzvEndpoint, defaultRendezvousPort);
    if (rdzvConf !== undefined) resolveConf(rdzvConf);
    const { masterAddr = '127.0.0.1', masterPort = 0 } = options;
    return { kind: 'fixed', nnodes: 1, nodeRank: 0, masterAddr, masterPort };
  }
  if (nodeRank === undefined)
    refuse(`With ${max} nodes each is told which it is: give nodeRank, or rdzvEndpoint, where they find out.`);
  if (maxRestarts > 0) {
    refuse(
      `maxRestarts is ${maxRestarts}, but launchers that are told their nodeRank do not coordinate restarts: give rdzvEndpoint ` +
        "and rdzvBackend 'c10d', or leave it at 0 and let the scheduler start the job again.",
    );
  }
  if (rdzvConf !== undefined)
    refuse("rdzvConf is of the backend 'c10d': with nodeRank and masterAddr nodes wait for nothing.");
  return { kind: 'fixed', nnodes: max, nodeRank: nodeRank ?? 0, ...masterOf(options, max) };
}

function masterOf(
  { masterAddr, masterPort, rdzvEndpoint }: LaunchOptions,
  nnodes: number,
): Pick<FixedMeeting, 'masterAddr' | 'masterPort'> {
  if (rdzvEndpoint !== undefined) {
    const { host, port } = parseEndpoint('rdzvEndpoint', rdzvEndpoint, defaultMasterPort);
    const other = [
      masterAddr !== undefined && masterAddr !== host && 'masterAddr',
      masterPort !== undefined && masterPort !== port && 'masterPort',
    ].find(Boolean);
    if (other !== undefined)
      refuse(`rdzvEndpoint is '${rdzvEndpoint}' and ${String(other)} says something else: leave one of them out.`);
    return { masterAddr: host, masterPort: port };
  }
  if (masterAddr === undefined) {
    return refuse(
      `With ${nnodes} nodes the others must know where rank 0 listens: give masterAddr, the same on each, or rdzvEndpoint.`,
    );
  }
  if (masterPort === 0)
    return refuse(`With ${nnodes} nodes no free port can be chosen here alone: give the same masterPort on each.`);
  return { masterAddr, masterPort: masterPort ?? defaultMasterPort };
}

function elasticMeeting(options: LaunchOptions, nodes: NodeRange): ElasticMeeting {
  const { rdzvEndpoint, nodeRank, localAddr, masterAddr, masterPort } = options;
  if (rdzvEndpoint === undefined)
    return refuse(
      `With ${nodes.min === nodes.max ? nodes.max : `${nodes.min} to ${nodes.max}`} nodes their launchers must meet somewhere: give rdzvEndpoint, the same HOST:PORT on each.`,
    );
  for (const [name, value] of Object.entries({ masterAddr, masterPort })) {
    if (value !== undefined)
      refuse(
        `${name} is ${value}, but with rdzvEndpoint the node of rank 0 says where it listens: leave one of them out.`,
      );
  }
  const endpoint = parseEndpoint('rdzvEndpoint', rdzvEndpoint, defaultRendezvousPort);
  if (endpoint.port === 0)
    refuse(`rdzvEndpoint is '${rdzvEndpoint}': with several nodes all must know its port, which cannot be 0.`);
  if (nodeRank !== undefined) requireInteger('nodeRank', nodeRank, 0, nodes.max - 1);
  return { kind: 'elastic', nodes, endpoint, nodeRank, localAddr, conf: resolveConf(options.rdzvConf ?? {}) };
}
