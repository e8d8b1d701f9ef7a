import { chooseMasterPort } from './masterPort.js';
import type { FixedMeeting } from './meeting.js';
import type { Settings } from './settings.js';

/** One start of the whole group: which ranks are on this node, among which others. */
export interface Attempt {
  /** How many starts came before this one, for whatever reason. */
  round: number;
  /** How many of those followed a failure. */
  restartCount: number;
  runId: string;
  groupRank: number;
  groupWorldSize: number;
  /** The first of this node's ranks. */
  firstRank: number;
  worldSize: number;
  /** The first of this node's ranks among those of its role. */
  firstRoleRank: number;
  roleWorldSize: number;
  masterAddr: string;
  masterPort: number;
  /** Through which this node reaches the others, where that is known. */
  networkInterface?: string | undefined;
}

/** A start of ranks whose places are known without asking another node. */
export async function fixedAttempt(
  settings: Settings,
  meeting: FixedMeeting,
  runId: string,
  round: number,
): Promise<Attempt> {
  const { nproc } = settings;
  const { nnodes, nodeRank, masterAddr } = meeting;
  const place = { firstRank: nodeRank * nproc, worldSize: nnodes * nproc };
  return {
    round,
    restartCount: round,
    runId,
    groupRank: nodeRank,
    groupWorldSize: nnodes,
    ...place,
    firstRoleRank: place.firstRank,
    roleWorldSize: place.worldSize,
    masterAddr,
    // Only the first node listens, so only there does it say anything about the port.
    masterPort: nodeRank === 0 ? await chooseMasterPort(meeting.masterPort) : meeting.masterPort,
  };
}
