import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { AiforgeError } from '../../../errors.js';
import { chooseMasterPort } from '../masterPort.js';
import type { ElasticMeeting } from '../meeting.js';
import type { Settings } from '../settings.js';
import { Connection, type ConnectionTimes } from './connection.js';
import { Coordinator } from './coordinator.js';
import { Listener } from './listener.js';
import {
  protocolVersion,
  readServerMessage,
  type Failure,
  type Hello,
  type NodeMessage,
  type Peer,
  type ServerMessage,
  type Start,
} from './messages.js';
import { isThisMachine } from './machine.js';

type ServerConnection = Connection<ServerMessage, NodeMessage>;
export type NodeEvent = Start | Extract<ServerMessage, { type: 'over' | 'stop' | 'note' }> | { type: 'lost' };

export interface NodeOptions {
  settings: Settings;
  meeting: ElasticMeeting;
  runId: string;
  say: (message: string) => void;
  onEvent: (event: NodeEvent) => void;
}

const retryMs = 200;
/** How long one that serves already has to answer. */
const answerMs = 5000;

/** Why a launcher is not taken in, however often it asks. */
class Refusal extends Error {}

/** This node's launcher among those of all nodes: it finds who serves, and serves itself where it is its turn. */
export class RendezvousNode {
  readonly #id = randomUUID();
  readonly #options: NodeOptions;
  readonly #times: ConnectionTimes;
  readonly #listener: Listener;
  #port = 0;
  #connection: ServerConnection | undefined;
  #coordinator: Coordinator | undefined;
  #peers: Peer[] = [];
  #serving = '';
  #rounds = 0;
  #restarts = 0;
  #isClosed = false;

  constructor(options: NodeOptions) {
    this.#options = options;
    const { keepAliveInterval, keepAliveMaxAttempt } = options.meeting.conf;
    this.#times = { aliveMs: keepAliveInterval * 1000, lostMs: keepAliveInterval * keepAliveMaxAttempt * 1000 };
    this.#listener = new Listener(this.#times);
  }

  /** Joins the others at the endpoint. Throws LAUNCH_FAILED where it is turned away, or nobody serves there in time. */
  async join(): Promise<void> {
    const { endpoint, conf } = this.#options.meeting;
    this.#port = (await this.#listener.listen(0))!;
    const mayServe = conf.isHost ?? (await isThisMachine(endpoint.host));
    if (mayServe && (await this.#listener.listen(endpoint.port)) !== undefined) this.#serve([]);
    const last = performance.now() + conf.joinTimeout * 1000;
    const host = this.#coordinator === undefined ? endpoint.host : '127.0.0.1';
    let why = '';
    while (!this.#isClosed) {
      try {
        await this.#enter(host, endpoint.port, conf.readTimeout * 1000, null);
        return;
      } catch (error) {
        if (error instanceof Refusal || performance.now() > last) throw this.#cannotJoin((error as Error).message);
        if (why === '')
          this.#options.say(
            `waiting for the launcher at ${endpoint.host}:${endpoint.port} (${(error as Error).message})`,
          );
        why = (error as Error).message;
        await delay(retryMs);
      }
    }
  }

  /** Tells who serves; nothing where nobody does at the moment. */
  send(message: NodeMessage): void {
    this.#connection?.send(message);
  }

  /** The ranks have stopped, and others can be started. */
  async stopped(failure: Failure | null, note: string | null): Promise<void> {
    this.send({ type: 'stopped', failure, note, masterPort: await chooseMasterPort(0) });
  }

  /** Finds another launcher to serve, as the one that did is lost: the next in order, which may be this one. */
  async rejoin(note: string | null): Promise<void> {
    const last = performance.now() + this.#options.meeting.conf.joinTimeout * 1000;
    const before = this.#peers.find(({ id }) => id === this.#serving);
    if (before !== undefined && (await this.#tries(before, answerMs, note))) return;
    const candidates = this.#peers.filter(({ id }) => id !== this.#serving);
    const patience = this.#times.lostMs + answerMs;
    while (!this.#isClosed && performance.now() < last) {
      for (const candidate of candidates) {
        const isMine = candidate.id === this.#id;
        if (isMine) await this.#serveAnew(candidates);
        if (await this.#tries(isMine ? { ...candidate, host: '127.0.0.1' } : candidate, patience, note)) return;
        if (this.#isClosed) return;
      }
      await delay(retryMs);
    }
    if (!this.#isClosed) throw this.#cannotJoin('no launcher that is left serves');
  }

  /** Leaves for good; ranks of other nodes are started without those of this one. */
  leave(): void {
    this.send({ type: 'leave' });
    this.#connection?.end();
    this.#coordinator?.abandon();
    this.#end();
  }

  /** Ends after the job: one that serves waits until the others know. */
  async close(): Promise<void> {
    this.#connection?.end();
    await this.#coordinator?.finished;
    this.#end();
  }

  #end(): void {
    this.#isClosed = true;
    this.#listener.close();
  }

  async #serveAnew(candidates: readonly Peer[]): Promise<void> {
    if (this.#coordinator !== undefined) return;
    const { endpoint, conf } = this.#options.meeting;
    this.#options.say('the launcher that served the others is lost: this one does now');
    // Nodes that come later look for it there, where that is this machine.
    if (conf.isHost ?? (await isThisMachine(endpoint.host))) await this.#listener.listen(endpoint.port);
    this.#serve(candidates.map(({ id }) => id));
  }

  #serve(expected: readonly string[]): void {
    const { settings, meeting, runId, say } = this.#options;
    const { maxRestarts, shutdownTimeout } = settings;
    this.#coordinator = new Coordinator({ meeting, runId, maxRestarts, shutdownTimeout, id: this.#id, expected, say });
    this.#listener.serveBy(this.#coordinator);
  }

  async #tries({ host, port }: Peer, patience: number, note: string | null): Promise<boolean> {
    return this.#enter(host, port, patience, note).then(
      () => true,
      (error: unknown) => {
        if (error instanceof Refusal) throw this.#cannotJoin(error.message);
        return false;
      },
    );
  }

  /** Connects to a launcher and waits until it takes this one in. */
  async #enter(host: string, port: number, patience: number, note: string | null): Promise<void> {
    const hello = await this.#hello(note);
    const socket = connect({ host, port });
    const connection: ServerConnection = new Connection(socket, readServerMessage, this.#times);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => connection.close(`no answer within ${patience / 1000} s`), patience);
      const settle = (action: () => void) => (clearTimeout(timer), action());
      connection.onClose = (reason) => settle(() => reject(new Error(reason)));
      connection.onMessage = (message) => {
        if (message.type === 'refused') settle(() => reject(new Refusal(message.reason)));
        else if (message.type === 'members') settle(resolve);
        if (message.type !== 'refused') this.#hear(message);
      };
      connection.send(hello);
    });
    this.#connection = connection;
    connection.onMessage = (message) => this.#hear(message);
    connection.onClose = () => {
      if (this.#isClosed) return;
      this.#connection = undefined;
      this.#options.onEvent({ type: 'lost' });
    };
  }

  async #hello(note: string | null): Promise<Hello> {
    const { settings, meeting, runId } = this.#options;
    const { nodes, nodeRank = null, localAddr = null } = meeting;
    return {
      type: 'hello',
      application: 'aiforge-launch',
      version: protocolVersion,
      runId,
      id: this.#id,
      nproc: settings.nproc,
      role: settings.role,
      nodeRank,
      min: nodes.min,
      max: nodes.max,
      maxRestarts: settings.maxRestarts,
      localAddr,
      port: this.#port,
      masterPort: await chooseMasterPort(0),
      rounds: this.#rounds,
      restarts: this.#restarts,
      note,
    };
  }

  #hear(message: ServerMessage): void {
    switch (message.type) {
      case 'members':
        this.#peers = message.peers;
        this.#serving = message.serving;
        break;
      case 'notice':
        this.#options.say(message.text);
        break;
      case 'start':
        this.#rounds = message.round + 1;
        this.#restarts = message.restartCount;
        this.#options.onEvent(message);
        break;
      case 'stop':
      case 'over':
      case 'note':
        this.#options.onEvent(message);
        break;
      default:
    }
  }

  #cannotJoin(reason: string): AiforgeError {
    const { host, port } = this.#options.meeting.endpoint;
    return new AiforgeError(
      'LAUNCH_FAILED',
      `This launcher cannot join those at ${host}:${port}: ${reason}. See that a launcher of the job runs there, and that its port can be reached.`,
    );
  }
}
