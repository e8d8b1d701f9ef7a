import { AiforgeError } from '../../errors.js';
import { boolean, either, kind, listOf, number, objectKind, string, type Kind } from '../../kinds.js';
import { signature } from '../../signature.js';
import { rankCountKind, type RankCount } from './rankCount.js';

/** Where a launch writes what its ranks print, such as `process.stdout`. */
export interface TextSink {
  write(text: string): unknown;
}

/** What `launch` starts, how many times, and how it supervises it. */
export interface LaunchOptions {
  /**
   * How many ranks to start on this machine: a number; `'gpu'`: one for each GPU; `'cpu'`: one for each core that this process may use;
   * `'auto'`: as `'gpu'` where there are GPUs, else as `'cpu'`. LAUNCH_FAILED for `'gpu'` where there is none.
   */
  nproc: number | RankCount;
  /** The script that Node.js runs, `train` for the subcommand of `aiforge`, or with `executable` a program. */
  target: string;
  /** The arguments after the target. Default: none. */
  args?: readonly string[];
  /** Run the target as a program of its own instead of through Node.js. Default: false. */
  executable?: boolean;
  /** Options for Node.js itself. Default: those of this process, without the inspector's and a program of `-e`. */
  nodeArgs?: readonly string[];
  /** How many machines take part. Default: 1. */
  nnodes?: number;
  /** Which of the machines this is. Default: 0. */
  nodeRank?: number;
  /** Where rank 0 listens. Default: `127.0.0.1`. */
  masterAddr?: string;
  /** The port rank 0 listens on. Default: 0, a free one, a new one for every restart. */
  masterPort?: number;
  /** How often the whole group is started again after a failure; `train` goes on with its run's last checkpoint. Default: 0. */
  maxRestarts?: number;
  /** A folder for one log file a rank. Default: no log files. */
  logDir?: string;
  /** Put `[rank N] ` before every line. Default: true. */
  prefix?: boolean;
  /** Seconds between asking a rank to stop and killing it. Default: 30. */
  graceSeconds?: number;
  /** Forward SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2 of this process to the ranks. Default: true. */
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

export type Settings = Required<Omit<LaunchOptions, 'logDir' | 'nproc'>> &
  Pick<LaunchOptions, 'logDir'> & { nproc: number };

function requireInteger(name: string, value: number, minimum: number, maximum = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(value) && value >= minimum && value <= maximum) return;
  const range = maximum === Number.MAX_SAFE_INTEGER ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
  throw new AiforgeError('INVALID_ARGUMENT', `${name} is ${value}, but must be a whole number ${range}.`);
}

function checkAcrossMachines(settings: Settings): void {
  if (settings.nnodes === 1) return;
  if (settings.masterPort === 0) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `With ${settings.nnodes} machines no free port can be chosen here alone: give the same master port on each.`,
    );
  }
  if (settings.maxRestarts > 0) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `maxRestarts is ${settings.maxRestarts}, but the launchers of ${settings.nnodes} machines do not coordinate ` +
        'restarts: leave it at 0 and let the scheduler start the job again.',
    );
  }
}

/** Ranks cannot share one inspector port; and a program given on the command line is this process's, which would launch again. */
function forRanks(nodeArgs: readonly string[]): string[] {
  const takesProgram = (argument: string | undefined) => /^(-e|-p|-pe|--eval|--print)$/.test(argument ?? '');
  return nodeArgs.filter(
    (argument, i) =>
      !takesProgram(argument) &&
      !takesProgram(nodeArgs[i - 1]) &&
      !/^--(inspect|eval=|print=|input-type)/.test(argument),
  );
}

export const launchTakes = signature<LaunchOptions>(
  {},
  {
    nproc: either(number, rankCountKind),
    target: string,
    args: listOf(string),
    executable: boolean,
    nodeArgs: listOf(string),
    nnodes: number,
    nodeRank: number,
    masterAddr: string,
    masterPort: number,
    maxRestarts: number,
    logDir: string,
    prefix: boolean,
    graceSeconds: number,
    handleSignals: boolean,
    env: objectKind as Kind<NodeJS.ProcessEnv>,
    cwd: string,
    stdout: sinkKind,
    stderr: sinkKind,
  },
  ['nproc', 'target'],
);

/** Fills in the defaults and rejects what cannot be launched, before anything is started. */
export function resolveOptions(options: LaunchOptions & { nproc: number }): Settings {
  const settings: Settings = {
    nproc: options.nproc,
    target: options.target,
    args: options.args ?? [],
    executable: options.executable ?? false,
    nodeArgs: options.nodeArgs ?? forRanks(process.execArgv),
    nnodes: options.nnodes ?? 1,
    nodeRank: options.nodeRank ?? 0,
    masterAddr: options.masterAddr ?? '127.0.0.1',
    masterPort: options.masterPort ?? 0,
    maxRestarts: options.maxRestarts ?? 0,
    logDir: options.logDir,
    prefix: options.prefix ?? true,
    graceSeconds: options.graceSeconds ?? 30,
    handleSignals: options.handleSignals ?? true,
    env: options.env ?? process.env,
    cwd: options.cwd ?? process.cwd(),
    stdout: options.stdout ?? process.stdout,
    stderr: options.stderr ?? process.stderr,
  };
  requireInteger('nproc', settings.nproc, 1);
  requireInteger('nnodes', settings.nnodes, 1);
  requireInteger('nodeRank', settings.nodeRank, 0, settings.nnodes - 1);
  requireInteger('masterPort', settings.masterPort, 0, 65535);
  requireInteger('maxRestarts', settings.maxRestarts, 0);
  // Node.js fires timers above 2^31 ms at once, which would kill instead of wait.
  if (!(settings.graceSeconds >= 0 && settings.graceSeconds <= 2_000_000)) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `graceSeconds is ${settings.graceSeconds}, but must be a number of seconds from 0 to 2000000.`,
    );
  }
  checkAcrossMachines(settings);
  return settings;
}
