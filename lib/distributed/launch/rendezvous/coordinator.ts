import { isIP, type Socket } from 'node:net';

import type { ElasticMeeting } from '../meeting.js';
import { Connection } from './connection.js';
import {
  protocolVersion,
  readNodeMessage,
  type Failure,
  type Hello,
  type NodeMessage,
  type ServerMessage,
} from './messages.js';
import { inOrder, placesOf, type Participant } from './places.js';

type NodeConnection = Connection<NodeMessage, ServerMessage>;

interface Member extends Participant {
  connection: NodeConnection;
  hello: Hello;
  /** Whether its ranks are among those that run. */
  isActive: boolean;
  state: 'ready' | 'running' | 'ended';
}

export interface CoordinatorOptions {
  meeting: ElasticMeeting;
  runId: string;
  maxRestarts: number;
  shutdownTimeout: number;
  /** The launcher that serves, by its id. */
  id: string;
  /** The nodes of before that are to come again, where another launcher served them. */
  expected: readonly string[];
  say: (message: string) => void;
}

/** How long a node has to say that its ranks have stopped, beyond what they have to stop. */
const answerSeconds = 10;
const mostReport = 25_000;
const fullNotice = 'the job has as many nodes as it may: waiting for one to leave';
const closingNotice = 'ranks of the job have ended already: waiting for the others';

const isLoopback = (address: string): boolean => /^(::ffff:)?127\.|^::1$/.test(address);
const plain = (address: string): string => address.replace(/^::ffff:/, '');

/** Decides for the launchers of all nodes when ranks are started, among how many, and when the job is over. */
export class Coordinator {
  /** Resolves when the job is over and all nodes have heard of it. */
  readonly finished: Promise<void>;
  readonly #options: CoordinatorOptions;
  readonly #members = new Map<string, Member>();
  readonly #expected: Set<string>;
  readonly #failures: Failure[] = [];
  #finish!: () => void;
  #phase: 'gathering' | 'running' | 'stopping' | 'over' = 'gathering';
  #rounds = 0;
  #restarts = 0;
  #joined = 0;
  #isForFailure = false;
  #note: string | null = null;
  #joinTimer: NodeJS.Timeout | undefined;
  #lastCallTimer: NodeJS.Timeout | undefined;
  #stopTimer: NodeJS.Timeout | undefined;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.#expected = new Set(options.expected);
    this.finished = new Promise((resolve) => (this.#finish = resolve));
    this.#gather();
  }

  /** Takes a launcher in that has come to this one; its first message says who it is. */
  accept(socket: Socket): void {
    const { keepAliveInterval, keepAliveMaxAttempt } = this.#options.meeting.conf;
    const times = { aliveMs: keepAliveInterval * 1000, lostMs: keepAliveInterval * keepAliveMaxAttempt * 1000 };
    this.take(new Connection<NodeMessage, ServerMessage>(socket, readNodeMessage, times));
  }

  take(connection: NodeConnection, hello?: Hello): void {
    connection.onClose = undefined;
    connection.onMessage = (message) => {
      if (message.type === 'hello') this.#welcome(connection, message);
      else connection.close('its first message is no greeting');
    };
    if (hello !== undefined) this.#welcome(connection, hello);
  }

  /** Ends at once, without a word: the others find another launcher to serve them. */
  abandon(): void {
    this.#clearTimers();
    this.#phase = 'over';
    for (const { connection } of this.#members.values()) connection.end();
    this.#finish();
  }

  #welcome(connection: NodeConnection, hello: Hello): void {
    const reason = this.#objection(hello);
    if (reason !== undefined) {
      connection.send({ type: 'refused', reason });
      connection.end();
      return;
    }
    this.#rounds = Math.max(this.#rounds, hello.rounds);
    this.#restarts = Math.max(this.#restarts, hello.restarts);
    this.#note ??= hello.note;
    const member: Member = { connection, hello, joined: this.#joined++, isActive: false, state: 'ready' };
    this.#members.set(hello.id, member);
    connection.onMessage = (message) => this.#hear(member, message);
    connection.onClose = (why) => this.#lose(member, `is lost (${why})`);
    this.#tellMembers();
    if (this.#phase === 'gathering') this.#startIfComplete();
    else if (this.#phase === 'running') this.#considerJoin(member);
  }

  #objection(hello: Hello): string | undefined {
    const { runId, meeting, maxRestarts } = this.#options;
    const { min, max } = meeting.nodes;
    if (hello.version !== protocolVersion)
      return `it speaks version ${hello.version} of the protocol, and this launcher ${protocolVersion}: use one version of aiforge on all nodes`;
    if (hello.runId !== runId)
      return `its job is '${hello.runId}', and the one that meets here is '${runId}' (--rdzv-id)`;
    if (hello.min !== min || hello.max !== max)
      return `its --nnodes is ${hello.min}:${hello.max}, and that of the others ${min}:${max}`;
    if (hello.maxRestarts !== maxRestarts)
      return `its --max-restarts is ${hello.maxRestarts}, and that of the others ${maxRestarts}`;
    if (this.#members.has(hello.id)) return 'it is here already';
    const isTaken = [...this.#members.values()].some(
      (other) => hello.nodeRank !== null && other.hello.nodeRank === hello.nodeRank,
    );
    if (isTaken)
      return `its --node-rank is ${hello.nodeRank}, which another node has: leave it out, or give each its own`;
    if (this.#phase === 'over') return 'the job is over';
    return undefined;
  }

  /** Of a node that comes while ranks run: it is taken in, or waits for its turn. */
  #considerJoin({ hello, connection }: Member): void {
    const active = this.#active();
    const isClosing = active.some(({ state }) => state === 'ended');
    const isFull = active.length >= this.#options.meeting.nodes.max;
    if (isFull || isClosing) connection.send({ type: 'notice', text: isFull ? fullNotice : closingNotice });
    else this.#stopRound(`a node with ${hello.nproc} rank${hello.nproc === 1 ? '' : 's'} has joined`);
  }

  #active(): Member[] {
    return [...this.#members.values()].filter(({ isActive }) => isActive);
  }

  #hear(member: Member, message: NodeMessage): void {
    switch (message.type) {
      case 'failing':
        if (this.#phase === 'running') this.#stopRound('a rank of another node has failed', member);
        break;
      case 'stopped':
        member.hello.masterPort = message.masterPort;
        member.hello.note = message.note;
        this.#note = message.note ?? this.#note;
        if (message.failure !== null) this.#failures.push(message.failure);
        member.state = 'ready';
        if (this.#phase === 'running') this.#stopRound('the ranks of another node have ended', member);
        this.#nextIfStopped();
        break;
      case 'ended':
        member.state = 'ended';
        if (this.#phase === 'running') this.#endIfDone();
        break;
      case 'note':
        this.#note = message.note;
        this.#send(message);
        break;
      case 'leave':
        member.connection.end();
        this.#lose(member, 'has left');
        break;
      default:
    }
  }

  #lose(member: Member, how: string): void {
    if (this.#phase === 'over') {
      this.#members.delete(member.hello.id);
      if (this.#members.size === 0) this.#finish();
      return;
    }
    this.#remove(member, how);
  }

  #remove(member: Member, how: string): void {
    this.#members.delete(member.hello.id);
    this.#expected.delete(member.hello.id);
    if (!member.isActive && this.#phase !== 'gathering') return;
    if (this.#phase === 'running' && member.state === 'ended') {
      // Its part was done.
      this.#endIfDone();
      return;
    }
    const left = `the node at ${this.#addressOf(member)} ${how}`;
    this.#options.say(left);
    this.#tellMembers();
    // Ranks that failed since did so for it, and the node may be replaced: that is no failure of the job.
    this.#isForFailure = false;
    if (this.#phase === 'running') this.#stopRound(left);
    else if (this.#phase === 'stopping') this.#nextIfStopped();
    else this.#startIfComplete();
  }

  #endIfDone(): void {
    if (this.#active().every(({ state }) => state === 'ended')) this.#over(0, '');
  }

  /** Has all ranks stopped, to start them again or not. */
  #stopRound(reason: string, failing?: Member): void {
    this.#phase = 'stopping';
    this.#isForFailure = failing !== undefined;
    for (const member of this.#active()) {
      if (member !== failing && member.state !== 'ready') member.connection.send({ type: 'stop', reason });
    }
    const seconds = this.#options.shutdownTimeout + answerSeconds;
    this.#stopTimer = setTimeout(() => {
      for (const { state, connection } of this.#active()) {
        if (state !== 'ready') connection.close(`its ranks have not stopped within ${seconds} s`);
      }
    }, seconds * 1000);
    this.#nextIfStopped();
  }

  #nextIfStopped(): void {
    if (this.#phase !== 'stopping' || this.#active().some(({ state }) => state !== 'ready')) return;
    clearTimeout(this.#stopTimer);
    const failures = this.#failures.splice(0);
    const cause =
      failures.find(({ isWaiting, keptWaiting }) => !isWaiting && !keptWaiting) ??
      failures.find(({ keptWaiting }) => keptWaiting) ??
      failures[0];
    if (this.#isForFailure && cause !== undefined) {
      if (this.#restarts >= this.#options.maxRestarts) {
        this.#over(cause.status, cause.report);
        return;
      }
      this.#restarts++;
      this.#notify(
        `${cause.report}\nstarting all ranks again (restart ${this.#restarts} of at most ${this.#options.maxRestarts})`,
      );
    }
    for (const member of this.#active()) {
      member.isActive = false;
      this.#expected.add(member.hello.id);
    }
    this.#gather();
    this.#startIfComplete();
  }

  #gather(): void {
    this.#phase = 'gathering';
    const { joinTimeout } = this.#options.meeting.conf;
    this.#joinTimer = setTimeout(() => this.#over(1, this.#describeMissing(joinTimeout)), joinTimeout * 1000);
  }

  #describeMissing(seconds: number): string {
    const { nodes, endpoint } = this.#options.meeting;
    const here = inOrder([...this.#members.values()]).map((member) => this.#addressOf(member));
    const seen = isIP(endpoint.host) === 0 && here.every(isLoopback) && endpoint.host !== 'localhost';
    const remedy = seen
      ? ` Nobody came from another machine: where the name ${endpoint.host} is that of the machine itself on several nodes, as 127.0.0.1 in ` +
        '/etc/hosts, each waits for itself; give an address as --rdzv-endpoint, or --rdzv-conf is_host=0 on all but one.'
      : '';
    return (
      `only ${here.length} of at least ${nodes.min} nodes came to ${endpoint.host}:${endpoint.port} within ${seconds} s (join_timeout): ` +
      `${here.join(', ') || 'none'}. Start the others, or see what keeps them from reaching this one.${remedy}`
    );
  }

  #startIfComplete(): void {
    if (this.#phase !== 'gathering') return;
    const { nodes, conf } = this.#options.meeting;
    const count = this.#members.size;
    const isEveryoneBack = this.#rounds > 0 && [...this.#expected].every((id) => this.#members.has(id));
    if (count >= nodes.max || (count >= nodes.min && isEveryoneBack)) this.#start();
    else if (count >= nodes.min) {
      this.#lastCallTimer ??= setTimeout(() => {
        this.#lastCallTimer = undefined;
        if (this.#phase === 'gathering' && this.#members.size >= nodes.min) this.#start();
      }, conf.lastCallTimeout * 1000);
    } else if (this.#rounds > 0) this.#notify(`${count} of at least ${nodes.min} nodes are here: waiting for others`);
  }

  #start(): void {
    this.#clearTimers();
    this.#phase = 'running';
    this.#isForFailure = false;
    this.#expected.clear();
    this.#failures.length = 0;
    const participants = inOrder([...this.#members.values()]).slice(0, this.#options.meeting.nodes.max);
    const [first] = participants;
    const places = placesOf(participants);
    const round = this.#rounds++;
    participants.forEach((member, i) => {
      member.isActive = true;
      member.state = 'running';
      member.connection.send({
        type: 'start',
        round,
        restartCount: this.#restarts,
        ...places[i]!,
        masterAddr: this.#addressOf(first!),
        masterPort: first!.hello.masterPort,
        address: this.#addressOf(member),
        note: this.#note,
      });
    });
    this.#tellMembers();
    for (const { isActive, connection } of this.#members.values()) {
      if (!isActive) connection.send({ type: 'notice', text: fullNotice });
    }
  }

  /** Where other nodes reach one: as it says, else as this machine sees it, and this machine itself as another sees it. */
  #addressOf({ hello, connection }: Member): string {
    if (hello.localAddr !== null) return hello.localAddr;
    const seen = connection.socket.remoteAddress ?? '127.0.0.1';
    if (!isLoopback(seen)) return plain(seen);
    const others = [...this.#members.values()].filter(
      ({ connection: { socket } }) => !isLoopback(socket.remoteAddress ?? '::1'),
    );
    return plain(others[0]?.connection.socket.localAddress ?? seen);
  }

  #tellMembers(): void {
    const peers = inOrder([...this.#members.values()]).map((member) => ({
      id: member.hello.id,
      host: this.#addressOf(member),
      port: member.hello.port,
    }));
    this.#send({ type: 'members', serving: this.#options.id, peers });
  }

  #notify(text: string): void {
    this.#send({ type: 'notice', text: text.slice(0, 2000) });
  }

  #send(message: ServerMessage): void {
    for (const { connection } of this.#members.values()) connection.send(message);
  }

  #over(status: number, text: string): void {
    this.#clearTimers();
    this.#phase = 'over';
    this.#send({ type: 'over', status, text: text.slice(0, mostReport) });
    if (this.#members.size === 0) this.#finish();
    setTimeout(this.#finish, this.#options.meeting.conf.closeTimeout * 1000).unref();
  }

  #clearTimers(): void {
    for (const timer of [this.#joinTimer, this.#lastCallTimer, this.#stopTimer]) clearTimeout(timer);
    this.#lastCallTimer = undefined;
  }
}
