import { AiforgeError } from '../../errors.js';
import { requireInteger, resolveMeeting, type Meeting } from './meeting.js';
import { checkFolders, checkTexts } from './optionChecks.js';
import { asOption, type NameOf } from './optionNames.js';
import type { LaunchOptions, TextSink } from './options.js';
import { parseStreams, routesOf, type Routes } from './streams.js';

/** What a launch does, with every default filled in. */
export interface Settings {
  nproc: number;
  target: string;
  args: readonly string[];
  executable: boolean;
  nodeArgs: readonly string[];
  meeting: Meeting;
  rdzvId: string | undefined;
  maxRestarts: number;
  monitorInterval: number;
  shutdownTimeout: number;
  logDir: string | undefined;
  /** Where the streams of each local rank go; undefined: all are shown, and go to one file a rank where there is a folder. */
  routes: Routes[] | undefined;
  shown: ReadonlySet<number> | undefined;
  prefix: boolean;
  role: string;
  handleSignals: boolean;
  env: NodeJS.ProcessEnv;
  cwd: string;
  stdout: TextSink;
  stderr: TextSink;
}

/** Node.js fires timers above 2^31 ms at once, which would kill instead of wait. */
const longestSeconds = 2_000_000;

function requireSeconds(name: string, value: number, least: number): void {
  if (value >= least && value <= longestSeconds) return;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${name} is ${value}, but must be a number of seconds from ${least} to ${longestSeconds}.`,
  );
}

/** A slip of the keyboard must not fill the machine's table of processes. */
const mostRanks = 1024;

function requireRanks(nproc: number, nameOf: NameOf): void {
  requireInteger(nameOf('nproc'), nproc, 1);
  if (nproc <= mostRanks) return;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${nameOf('nproc')} is ${nproc}, but one node has at most ${mostRanks} ranks; for more, use several nodes with ${nameOf('nnodes')}.`,
  );
}

/** Ranks cannot share this process's inspector port; and a program given on the command line is this process's, which would launch again. */
function forRanks(nodeArgs: readonly string[]): string[] {
  const takesProgram = (argument: string | undefined) => /^(-e|-p|-pe|--eval|--print)$/.test(argument ?? '');
  return nodeArgs.filter(
    (argument, i) =>
      !takesProgram(argument) &&
      !takesProgram(nodeArgs[i - 1]) &&
      !/^--(inspect|eval=|print=|input-type)/.test(argument),
  );
}

function shownRanks(
  { localRanksFilter }: LaunchOptions,
  nproc: number,
  nameOf: NameOf,
): ReadonlySet<number> | undefined {
  for (const localRank of localRanksFilter ?? []) {
    if (localRank < nproc) continue;
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `${nameOf('localRanksFilter')} has local rank ${localRank}, but there are ${nproc} on this node, from 0.`,
    );
  }
  return localRanksFilter === undefined ? undefined : new Set(localRanksFilter);
}

function chosenRoutes(
  { tee, redirects, logDir }: LaunchOptions,
  nproc: number,
  shown: ReadonlySet<number> | undefined,
  nameOf: NameOf,
): Routes[] | undefined {
  if (tee === undefined && redirects === undefined) return undefined;
  const teed = parseStreams(nameOf('tee'), tee ?? 0, nproc);
  const redirected = parseStreams(nameOf('redirects'), redirects ?? 0, nproc);
  if (logDir === undefined && [...teed, ...redirected].some((streams) => streams > 0)) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `${nameOf(tee === undefined ? 'redirects' : 'tee')} writes files, and there is no folder for them: give ${nameOf('logDir')}.`,
    );
  }
  return routesOf(teed, redirected, shown);
}

/** Fills in the defaults and rejects what cannot be launched, before anything is started. */
export function resolveOptions(options: LaunchOptions & { nproc: number }, nameOf: NameOf = asOption): Settings {
  const { nproc, maxRestarts = 0, monitorInterval = 1, shutdownTimeout = 30 } = options;
  requireRanks(nproc, nameOf);
  requireInteger(nameOf('maxRestarts'), maxRestarts, 0);
  requireSeconds(nameOf('shutdownTimeout'), shutdownTimeout, 0);
  requireSeconds(nameOf('monitorInterval'), monitorInterval, 0.01);
  checkTexts(options, nameOf);
  checkFolders(options, nameOf);
  const shown = shownRanks(options, nproc, nameOf);
  return {
    nproc,
    target: options.target,
    args: options.args ?? [],
    executable: options.executable ?? false,
    nodeArgs: options.nodeArgs ?? forRanks(process.execArgv),
    meeting: resolveMeeting(options, nameOf),
    rdzvId: options.rdzvId === '' ? undefined : options.rdzvId,
    maxRestarts,
    monitorInterval,
    shutdownTimeout,
    logDir: options.logDir,
    routes: chosenRoutes(options, nproc, shown, nameOf),
    shown,
    prefix: options.prefix ?? true,
    role: options.role ?? 'default',
    handleSignals: options.handleSignals ?? true,
    env: options.env ?? process.env,
    cwd: options.cwd ?? process.cwd(),
    stdout: options.stdout ?? process.stdout,
    stderr: options.stderr ?? process.stderr,
  };
}
