import { z } from 'zod';

/** Launchers of other versions of the protocol are told so. */
export const protocolVersion = 1;

const text = (most: number) => z.string().max(most);
const number = z.int().min(0);
const port = z.int().min(1).max(65_535);

const failure = z.strictObject({
  rank: number,
  status: z.int().min(1).max(255),
  /** Whether it only lost another rank, or waited for one in vain. */
  isWaiting: z.boolean(),
  /** Whether it was stopped, as by SIGSTOP, and others waited for it. */
  keptWaiting: z.boolean(),
  report: text(20_000),
});

/** Where a launcher listens for the others should it have to serve them. */
const peer = z.strictObject({ id: text(64), host: text(256), port });

/** What ranks of one node have noted, their run, for later starts on any node. */
const noted = z.strictObject({ type: z.literal('note'), note: text(4096) });

const fromNode = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('hello'),
    application: z.literal('aiforge-launch'),
    version: number,
    runId: text(256),
    id: text(64),
    nproc: z.int().min(1).max(65_536),
    role: text(256),
    nodeRank: number.nullable(),
    min: number,
    max: number,
    maxRestarts: number,
    localAddr: text(256).nullable(),
    port,
    masterPort: port,
    /** The starts that it knows of, for one that serves anew. */
    rounds: number,
    restarts: number,
    note: text(4096).nullable(),
  }),
  z.strictObject({ type: z.literal('failing') }),
  z.strictObject({
    type: z.literal('stopped'),
    failure: failure.nullable(),
    note: text(4096).nullable(),
    masterPort: port,
  }),
  z.strictObject({ type: z.literal('ended') }),
  noted,
  z.strictObject({ type: z.literal('leave') }),
  z.strictObject({ type: z.literal('alive') }),
]);

const fromServer = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('refused'), reason: text(2000) }),
  z.strictObject({ type: z.literal('members'), serving: text(64), peers: z.array(peer).max(65_536) }),
  z.strictObject({ type: z.literal('notice'), text: text(2000) }),
  noted,
  z.strictObject({
    type: z.literal('start'),
    round: number,
    restartCount: number,
    groupRank: number,
    groupWorldSize: number,
    firstRank: number,
    worldSize: number,
    firstRoleRank: number,
    roleWorldSize: number,
    masterAddr: text(256),
    masterPort: port,
    /** Of the node itself, as others reach it. */
    address: text(256),
    note: text(4096).nullable(),
  }),
  z.strictObject({ type: z.literal('stop'), reason: text(2000) }),
  z.strictObject({ type: z.literal('over'), status: z.int().min(0).max(255), text: text(30_000) }),
  z.strictObject({ type: z.literal('alive') }),
]);

export type Failure = z.infer<typeof failure>;
export type Peer = z.infer<typeof peer>;
export type NodeMessage = z.infer<typeof fromNode>;
export type ServerMessage = z.infer<typeof fromServer>;
export type Hello = Extract<NodeMessage, { type: 'hello' }>;
export type Start = Extract<ServerMessage, { type: 'start' }>;

export const readNodeMessage = (value: unknown): NodeMessage => fromNode.parse(value);
export const readServerMessage = (value: unknown): ServerMessage => fromServer.parse(value);
