import { AiforgeError } from '../../errors.js';

/** Streams of a rank, as torchrun numbers them: 0 none, 1 stdout, 2 stderr, 3 both; or of some local ranks alone, as `'0:1,1:3'`. */
export type StreamChoice = 0 | 1 | 2 | 3 | (string & {});

/** Where one stream of a rank goes. */
export interface Route {
  isShown: boolean;
  hasLog: boolean;
}

export interface Routes {
  stdout: Route;
  stderr: Route;
}

/** The choice for each local rank: bit 1 is stdout, bit 2 stderr. Throws INVALID_ARGUMENT for what says no such thing. */
export function parseStreams(name: string, given: number | string, nproc: number): number[] {
  const text = String(given).trim();
  if (/^[0-3]$/.test(text)) return new Array<number>(nproc).fill(Number(text));
  const chosen = new Array<number>(nproc).fill(0);
  const told = new Set<number>();
  for (const part of text.split(',')) {
    const [, rank = '', streams = ''] = /^\s*(\d+):([0-3])\s*$/.exec(part) ?? [];
    const localRank = Number(rank);
    if (streams === '') throw malformed(name, given);
    if (localRank >= nproc || told.has(localRank)) {
      const why = told.has(localRank) ? 'is named twice' : `does not exist: there are ${nproc}, from 0`;
      throw new AiforgeError('INVALID_ARGUMENT', `${name} is '${given}', but local rank ${localRank} ${why}.`);
    }
    told.add(localRank);
    chosen[localRank] = Number(streams);
  }
  return chosen;
}

function malformed(name: string, given: number | string): AiforgeError {
  return new AiforgeError(
    'INVALID_ARGUMENT',
    `${name} is '${given}'; expected 0 (nothing), 1 (stdout), 2 (stderr) or 3 (both), or that for local ranks, as '0:1,1:3'.`,
  );
}

/** What becomes of the streams of each local rank. A stream that is both teed and redirected is teed, as with torchrun. */
export function routesOf(
  tee: readonly number[],
  redirects: readonly number[],
  shown: ReadonlySet<number> | undefined,
): Routes[] {
  return tee.map((teed, localRank) => {
    const logged = teed | redirects[localRank]!;
    const isWanted = shown?.has(localRank) ?? true;
    const route = (bit: number): Route => ({
      hasLog: (logged & bit) !== 0,
      isShown: isWanted && ((teed & bit) !== 0 || (redirects[localRank]! & bit) === 0),
    });
    return { stdout: route(1), stderr: route(2) };
  });
}
