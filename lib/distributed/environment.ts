import { AiforgeError } from '../errors.js';
import { launchedEnvironment, withSlurm } from '../slurm.js';

/** A process among those of a group. */
export interface RankAndSize {
  rank: number;
  worldSize: number;
}

/** What a rank must know to find the others. */
export interface RankEnvironment extends RankAndSize {
  masterAddr: string;
  masterPort: number;
  /** Whether this rank serves the store: rank 0, unless the launcher does. */
  servesStore: boolean;
  /** Whether the launcher serves the store, so that it outlives the ranks. */
  isServed: boolean;
}

export interface RankOptions {
  /** Default: `RANK`. */
  rank?: number;
  /** Default: `WORLD_SIZE`. */
  worldSize?: number;
  /** Where rank 0 runs. Default: `MASTER_ADDR`. */
  masterAddr?: string;
  /** A free port there. Default: `MASTER_PORT`. */
  masterPort?: number;
}

type Given = Record<string, number | string | undefined>;

/** A number by its decimal digits, as Python's `int` reads it; NaN for all else, such as `0x10` and `1e3`. */
export const digits = (text: string): number => (/^\s*[-+]?\d+\s*$/.test(text) ? Number(text) : NaN);

/** Reads a number of an option or, where that is not given, of a variable; an error names the one that it is from. */
function wholeNumber(
  option: keyof RankOptions,
  variable: string,
  options: RankOptions,
  env: NodeJS.ProcessEnv,
  [least, most]: [least: number, most: number],
): number {
  const [asked, found = ''] = [options[option], env[variable]];
  const number = typeof asked === 'number' ? asked : digits(found);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  const given = asked === undefined ? `${variable} is '${found}'` : `initProcessGroup: ${option} is ${asked}`;
  throw new AiforgeError('INVALID_ARGUMENT', `${given}; expected a whole number in ${least} … ${most}.`);
}

function requireAll(given: Given): asserts given is Record<string, number | string> {
  const missing = Object.entries(given).filter(([, value]) => value === undefined);
  if (missing.length === 0) return;
  throw new AiforgeError(
    'DISTRIBUTED_FAILED',
    `initProcessGroup needs ${missing.map(([name]) => name).join(', ')} in the environment. Start the script with ` +
      '`npx aiforge-launch --nproc 2 script.js`, or pass rank, worldSize, masterAddr and masterPort.',
  );
}

/** The environment, with what srun has in it, but for variables that options are given in place of: those may say anything. */
function environmentBeside({ rank, worldSize, masterAddr, masterPort }: RankOptions): NodeJS.ProcessEnv {
  if (rank === undefined || worldSize === undefined) return launchedEnvironment();
  const others = { ...process.env, RANK: undefined, WORLD_SIZE: undefined };
  return masterAddr === undefined || masterPort === undefined ? withSlurm(others) : others;
}

/** Reads `RANK` and `WORLD_SIZE`; options come before them. */
export function readRankAndSize(options: RankOptions, env?: NodeJS.ProcessEnv): RankAndSize {
  const isGiven = options.rank !== undefined && options.worldSize !== undefined;
  return placeAmong(options, isGiven ? {} : (env ?? launchedEnvironment()));
}

function placeAmong(options: RankOptions, env: NodeJS.ProcessEnv): RankAndSize {
  const given: Given = { RANK: options.rank ?? env.RANK, WORLD_SIZE: options.worldSize ?? env.WORLD_SIZE };
  requireAll(given);
  const worldSize = wholeNumber('worldSize', 'WORLD_SIZE', options, env, [1, 2 ** 31 - 1]);
  return { rank: wholeNumber('rank', 'RANK', options, env, [0, worldSize - 1]), worldSize };
}

/** Reads torchrun's variables, `RANK`, `WORLD_SIZE`, `MASTER_ADDR` and `MASTER_PORT`, or srun's in their place; options come before them. */
export function readRankEnvironment(
  options: RankOptions,
  env: NodeJS.ProcessEnv = environmentBeside(options),
): RankEnvironment {
  const given: Given = {
    RANK: options.rank ?? env.RANK,
    WORLD_SIZE: options.worldSize ?? env.WORLD_SIZE,
    MASTER_ADDR: options.masterAddr ?? env.MASTER_ADDR,
    MASTER_PORT: options.masterPort ?? env.MASTER_PORT,
  };
  requireAll(given);
  const { rank, worldSize } = readRankAndSize(options, env);
  const isServed = env.TORCHELASTIC_USE_AGENT_STORE === 'True';
  return {
    rank,
    worldSize,
    masterAddr: String(given.MASTER_ADDR),
    masterPort: wholeNumber('masterPort', 'MASTER_PORT', options, env, [1, 65535]),
    servesStore: rank === 0 && !isServed,
    isServed,
  };
}
