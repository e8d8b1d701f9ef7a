import { AiforgeError } from '../../errors.js';
import { parseEndpoint, parseNodes, type Endpoint, type NodeRange } from './nodes.js';
import { asOption, type NameOf } from './optionNames.js';
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
export function resolveMeeting(options: LaunchOptions, nameOf: NameOf = asOption): Meeting {
  const nodes = parseNodes(options.nnodes ?? 1, nameOf('nnodes'));
  if (options.masterPort !== undefined) requireInteger(nameOf('masterPort'), options.masterPort, 0, 65535);
  if (options.standalone === true) checkStandalone(options, nodes, nameOf);
  const isFixed = options.rdzvBackend === 'static' || (options.rdzvBackend === undefined && hasPlaces(options));
  if (nodes.max === 1 || isFixed) return fixedMeeting(options, nodes, nameOf);
  return elasticMeeting(options, nodes, nameOf);
}

function hasPlaces({ rdzvEndpoint, nodeRank, nnodes }: LaunchOptions): boolean {
  return (rdzvEndpoint === undefined && !String(nnodes).includes(':')) || nodeRank !== undefined;
}

function checkStandalone(
  { rdzvEndpoint, rdzvBackend, nodeRank }: LaunchOptions,
  nodes: NodeRange,
  nameOf: NameOf,
): void {
  const standalone = nameOf('standalone');
  if (nodes.max !== 1)
    refuse(
      `${standalone} means one node, and ${nameOf('nnodes')} is ${nodes.min}:${nodes.max}: leave one of them out.`,
    );
  if (rdzvEndpoint !== undefined)
    refuse(
      `${standalone} means that no other node is met, and ${nameOf('rdzvEndpoint')} is '${rdzvEndpoint}': leave one of them out.`,
    );
  if (rdzvBackend === 'static')
    refuse(`${standalone} is of the backend 'c10d', and ${nameOf('rdzvBackend')} is 'static': leave one of them out.`);
  if (nodeRank !== undefined && nodeRank !== 0)
    refuse(`${standalone} means one node, and ${nameOf('nodeRank')} is ${nodeRank}: leave one of them out.`);
}

function fixedMeeting(options: LaunchOptions, { min, max }: NodeRange, nameOf: NameOf): FixedMeeting {
  const [ownRank, endpoint, backend] = [nameOf('nodeRank'), nameOf('rdzvEndpoint'), nameOf('rdzvBackend')];
  if (min !== max) {
    refuse(
      `${nameOf('nnodes')} is '${min}:${max}', but with ${backend} 'static' the nodes are as many from the start: give ${endpoint}, and ${backend} 'c10d'.`,
    );
  }
  const { nodeRank, maxRestarts = 0, rdzvConf } = options;
  requireInteger(ownRank, nodeRank ?? 0, 0, max - 1);
  const isAlone = max === 1;
  if (isAlone) {
    // Nobody else is to come, wherever it would be met.
    if (options.rdzvEndpoint === undefined) refuseOfMeeting(options, nameOf);
    else parseEndpoint(endpoint, options.rdzvEndpoint, defaultRendezvousPort);
    if (rdzvConf !== undefined) resolveConf(rdzvConf);
    const { masterAddr = '127.0.0.1', masterPort = 0 } = options;
    return { kind: 'fixed', nnodes: 1, nodeRank: 0, masterAddr, masterPort };
  }
  if (nodeRank === undefined)
    refuse(`With ${max} nodes each is told which it is: give ${ownRank}, or ${endpoint}, where they find out.`);
  if (maxRestarts > 0) {
    refuse(
      `${nameOf('maxRestarts')} is ${maxRestarts}, but launchers that are told their ${ownRank} do not coordinate restarts: give ` +
        `${endpoint} and ${backend} 'c10d', or leave it at 0 and let the scheduler start the job again.`,
    );
  }
  refuseOfMeeting(options, nameOf);
  return { kind: 'fixed', nnodes: max, nodeRank: nodeRank ?? 0, ...masterOf(options, max, nameOf) };
}

/** Refuses what says how launchers meet, where none meets another. */
function refuseOfMeeting({ rdzvConf, localAddr }: LaunchOptions, nameOf: NameOf): void {
  const given = rdzvConf !== undefined ? 'rdzvConf' : localAddr !== undefined ? 'localAddr' : undefined;
  if (given === undefined) return;
  refuse(
    `${nameOf(given)} is of the backend 'c10d', where launchers meet, and these do not: give ${nameOf('rdzvEndpoint')}, or leave it out.`,
  );
}

function masterOf(
  { masterAddr, masterPort, rdzvEndpoint }: LaunchOptions,
  nnodes: number,
  nameOf: NameOf,
): Pick<FixedMeeting, 'masterAddr' | 'masterPort'> {
  const endpoint = nameOf('rdzvEndpoint');
  if (rdzvEndpoint !== undefined) {
    const { host, port } = parseEndpoint(endpoint, rdzvEndpoint, defaultMasterPort);
    const isOther = { masterAddr: (masterAddr ?? host) !== host, masterPort: (masterPort ?? port) !== port };
    const other = (['masterAddr', 'masterPort'] as const).find((name) => isOther[name]);
    if (other !== undefined)
      refuse(`${endpoint} is '${rdzvEndpoint}' and ${nameOf(other)} says something else: leave one of them out.`);
    return { masterAddr: host, masterPort: port };
  }
  if (masterAddr === undefined) {
    return refuse(
      `With ${nnodes} nodes the others must know where rank 0 listens: give ${nameOf('masterAddr')}, the same on each, or ${endpoint}.`,
    );
  }
  if (masterPort === 0)
    return refuse(
      `With ${nnodes} nodes no free port can be chosen here alone: give the same ${nameOf('masterPort')} on each.`,
    );
  return { masterAddr, masterPort: masterPort ?? defaultMasterPort };
}

function elasticMeeting(options: LaunchOptions, nodes: NodeRange, nameOf: NameOf): ElasticMeeting {
  const name = nameOf('rdzvEndpoint');
  const { rdzvEndpoint, nodeRank, localAddr, masterAddr, masterPort } = options;
  if (rdzvEndpoint === undefined)
    return refuse(
      `With ${nodes.min === nodes.max ? nodes.max : `${nodes.min} to ${nodes.max}`} nodes their launchers must meet somewhere: give ${name}, the same HOST:PORT on each.`,
    );
  for (const [option, value] of Object.entries({ masterAddr, masterPort })) {
    if (value !== undefined)
      refuse(
        `${nameOf(option as 'masterAddr')} is ${value}, but with ${name} the node of rank 0 says where it listens: leave one of them out.`,
      );
  }
  const endpoint = parseEndpoint(name, rdzvEndpoint, defaultRendezvousPort);
  if (endpoint.port === 0)
    refuse(`${name} is '${rdzvEndpoint}': with several nodes all must know its port, which cannot be 0.`);
  if (nodeRank !== undefined) requireInteger(nameOf('nodeRank'), nodeRank, 0, nodes.max - 1);
  return { kind: 'elastic', nodes, endpoint, nodeRank, localAddr, conf: resolveConf(options.rdzvConf ?? {}) };
}
