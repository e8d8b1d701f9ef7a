import { boolean, either, kind, listOf, number, objectKind, oneOf, size, string, type Kind } from '../../kinds.js';
import { signature } from '../../signature.js';
import { rankCountKind, type RankCount } from './rankCount.js';
import { rendezvousConfKind, type RendezvousConf } from './rendezvousConf.js';
import type { StreamChoice } from './streams.js';

/**
 * Where a launch writes what its ranks print, such as `process.stdout`. A stream gets the bytes as they are; where its `write` returns
 * false, ranks wait for its `drain`.
 */
export interface TextSink {
  write(text: string): unknown;
}

/** How the launchers of several nodes find each other, as torchrun calls it. */
export type RendezvousBackend = 'c10d' | 'static';

/** What `launch` starts, how many times, and how it supervises it. */
export interface LaunchOptions {
  /**
   * How many ranks to start on this node: a number; `'gpu'`: one for each GPU; `'cpu'`: one for each core that this process may use;
   * `'auto'`: as `'gpu'` where there are GPUs, else as `'cpu'`. LAUNCH_FAILED for `'gpu'` where there is none.
   */
  nproc: number | RankCount;
  /** The script that Node.js runs, `train` for the subcommand of `aiforge`, or with `executable` a program. */
  target: string;
  /** The arguments after the target. Default: none. */
  args?: readonly string[];
  /** Run the target as a program of its own instead of through Node.js. Default: false. */
  executable?: boolean;
  /**
   * Options for Node.js itself; an inspector's port is that of local rank 0, and those of the others follow. Default: those of this
   * process, without the inspector's and a program of `-e`.
   */
  nodeArgs?: readonly string[];
  /** How many nodes take part, or with `rdzvEndpoint` a range, `'min:max'`. Default: 1. */
  nnodes?: number | `${number}:${number}`;
  /** Which of the nodes this is; with `rdzvEndpoint` the order in which nodes are numbered. Default: 0. */
  nodeRank?: number;
  /** Where rank 0 listens. With `rdzvEndpoint` it is found. Default: `127.0.0.1`; must be given where several nodes have no `rdzvEndpoint`. */
  masterAddr?: string;
  /** The port rank 0 listens on. Default: on one node 0, a free one, a new one for every restart; on several 29500. */
  masterPort?: number;
  /** `HOST` or `HOST:PORT` where the launchers of several nodes meet; the one whose address it is serves there. Default port: 29400. */
  rdzvEndpoint?: string;
  /** The job's name: launchers of other jobs are turned away. Default: `none`; on one node a new one. */
  rdzvId?: string;
  /** Default: `c10d` with `rdzvEndpoint` and no `nodeRank`, else `static`, where nodes are told their ranks and there are no restarts. */
  rdzvBackend?: RendezvousBackend;
  /** How long launchers wait for each other. */
  rdzvConf?: RendezvousConf;
  /** One node alone, whatever else may listen on this machine: refuses `nnodes` and `rdzvEndpoint`. Default: false. */
  standalone?: boolean;
  /** The address at which other nodes reach this one. Default: the one that the rendezvous sees. */
  localAddr?: string;
  /** How often the whole group is started again after a failure; `train` goes on with its run's last checkpoint. Default: 0. */
  maxRestarts?: number;
  /** Every so many seconds the launcher looks whether a rank is stopped, as by SIGSTOP. Default: 1. */
  monitorInterval?: number;
  /** Seconds between asking a rank to stop and killing it. Default: 30. */
  shutdownTimeout?: number;
  /** A folder for one log file a rank, or with `tee` or `redirects` one a stream. Default: no log files. */
  logDir?: string;
  /** Which streams are also written to files: 1 is stdout, 2 stderr, 3 both; or of some local ranks, `'0:1,1:3'`. Default: both to one file where there is `logDir`. */
  tee?: StreamChoice;
  /** Which streams are written to files only. Default: none. */
  redirects?: StreamChoice;
  /** The local ranks whose output is shown. Default: all. */
  localRanksFilter?: readonly number[];
  /** Put `[rank N] ` before every line. Default: true. */
  prefix?: boolean;
  /** What the ranks of this node are called: `ROLE_NAME`. Default: `default`. */
  role?: string;
  /** Forward SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP and SIGCONT of this process to the ranks. Default: true. */
  handleSignals?: boolean;
  /** The environment that the ranks inherit. Default: `process.env`. */
  env?: NodeJS.ProcessEnv;
  /** The working directory of the ranks. Default: that of this process. */
  cwd?: string;
  /** Default: `process.stdout`. */
  stdout?: TextSink;
  /** Default: `process.stderr`; the launcher's own messages go there too. */
  stderr?: TextSink;
}

const sinkKind = kind<TextSink>(
  'something with a write(text)',
  (value) => typeof (value as Partial<TextSink> | null)?.write === 'function',
);

export const launchTakes = signature<LaunchOptions>(
  {},
  {
    nproc: either(number, rankCountKind),
    target: string,
    args: listOf(string),
    executable: boolean,
    nodeArgs: listOf(string),
    nnodes: either(number, string) as Kind<number | `${number}:${number}`>,
    nodeRank: number,
    masterAddr: string,
    masterPort: number,
    rdzvEndpoint: string,
    rdzvId: string,
    rdzvBackend: oneOf<RendezvousBackend>('c10d', 'static'),
    rdzvConf: rendezvousConfKind,
    standalone: boolean,
    localAddr: string,
    maxRestarts: number,
    monitorInterval: number,
    shutdownTimeout: number,
    logDir: string,
    tee: either(number, string) as Kind<StreamChoice>,
    redirects: either(number, string) as Kind<StreamChoice>,
    localRanksFilter: listOf(size),
    prefix: boolean,
    role: string,
    handleSignals: boolean,
    env: objectKind as Kind<NodeJS.ProcessEnv>,
    cwd: string,
    stdout: sinkKind,
    stderr: sinkKind,
  },
  ['nproc', 'target'],
).insteadOf({
  worldsize: 'give nproc, the ranks of this node, and nnodes, the number of nodes',
  devices: 'the number of ranks on this node is nproc',
  numprocesses: 'the number of ranks on this node is nproc',
  numnodes: 'the number of nodes is nnodes',
  script: 'what the ranks run is target',
});
