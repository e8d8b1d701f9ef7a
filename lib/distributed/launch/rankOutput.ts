import { RankLog } from './output.js';
import type { StreamTarget } from './rankStream.js';
import type { Settings } from './settings.js';
import type { SharedOutput } from './sharedOutput.js';

interface Outputs {
  stdout: SharedOutput;
  stderr: SharedOutput;
}

interface RankPlace {
  rank: number;
  localRank: number;
  round: number;
}

/** Where the streams of one rank go, with its log files opened. Throws LAUNCH_FAILED where one cannot be written. */
export function openOutput(
  { logDir, routes, shown }: Settings,
  { rank, localRank, round }: RankPlace,
  outputs: Outputs,
  warn: (message: string) => void,
): { stdout: StreamTarget; stderr: StreamTarget } {
  const open = (stream: 'stdout' | 'stderr' | undefined): RankLog | undefined =>
    logDir === undefined ? undefined : new RankLog({ folder: logDir, rank, round, stream, warn });
  const show = (stream: 'stdout' | 'stderr', isShown: boolean): StreamTarget['write'] =>
    isShown ? (lines) => outputs[stream].write(lines) : undefined;
  const route = routes?.[localRank];
  if (route === undefined) {
    const isShown = shown?.has(localRank) ?? true;
    const log = open(undefined);
    return { stdout: { write: show('stdout', isShown), log }, stderr: { write: show('stderr', isShown), log } };
  }
  const target = (stream: 'stdout' | 'stderr'): StreamTarget => ({
    write: show(stream, route[stream].isShown),
    log: route[stream].hasLog ? open(stream) : undefined,
  });
  return { stdout: target('stdout'), stderr: target('stderr') };
}
