import type { RecordedError } from './errorFile.js';
import { othersInText } from './othersAtFault.js';
import { describeExit, type RankOutcome } from './rankOutcome.js';

function earliest(outcomes: readonly RankOutcome[], time: (outcome: RankOutcome) => bigint): RankOutcome | undefined {
  return [...outcomes].sort((a, b) => (time(a) < time(b) ? -1 : time(a) > time(b) ? 1 : 0))[0];
}

/**
 * The rank that brought the launch to its end; undefined when none failed by itself. It is sought among those that failed for a reason
 * of their own. Where all only lost another rank, or waited for one in vain, it is that one: one that was stopped, then one that ended
 * well while others still needed it, and where there is neither, which may be on another node, the first to tell. A rank that the
 * launcher ended is never the cause.
 */
export function findRootCause(outcomes: readonly RankOutcome[]): RankOutcome | undefined {
  const failed = outcomes.filter((outcome) => outcome.status !== 0 && !wasStopped(outcome));
  const first = firstToFail(failed.filter((outcome) => !onlyWaited(outcome)));
  if (first !== undefined || failed.length === 0) return first;
  const left = outcomes.filter(({ status, stoppedWith }) => status === 0 && stoppedWith === undefined);
  return (
    outcomes.find(({ wasSuspended }) => wasSuspended) ?? earliest(left, ({ endedAt }) => endedAt) ?? firstToFail(failed)
  );
}

/** What a launch that failed ends with: the cause's own status, where it is not one that the launcher brought about. */
export function failureStatus(cause: RankOutcome | undefined, outcomes: readonly RankOutcome[]): number {
  if (cause !== undefined && cause.status !== 0 && !wasStopped(cause)) return cause.status;
  return outcomes.find((outcome) => outcome.status !== 0 && !wasStopped(outcome))?.status ?? 1;
}

/** Whether a rank says no more than that it lost another one, or waited for one in vain. */
export function onlyWaited({ recorded, signal, status, stderrTail }: RankOutcome): boolean {
  // One that has shown its error and ended by itself has recorded none.
  const isSilent = recorded === undefined && signal === undefined && status !== 0;
  const { isConsequence, isTimeout } = recorded ?? othersInText(isSilent ? stderrTail.join('\n') : '');
  return isConsequence || isTimeout;
}

function wasStopped({ stoppedWith, recorded }: RankOutcome): boolean {
  return stoppedWith !== undefined && recorded === undefined;
}

/**
 * Ranks that recorded their errors are told apart by when they did so, as one may take longer than another to end; any others by
 * when the launcher saw them end.
 */
function firstToFail(failed: readonly RankOutcome[]): RankOutcome | undefined {
  const first = earliest(failed, (outcome) => outcome.endedAt);
  if (first?.recorded === undefined) return first;
  const recorded = failed.filter((outcome) => outcome.recorded !== undefined);
  return earliest(recorded, (outcome) => outcome.recorded?.writtenAt ?? outcome.endedAt);
}

function details(outcome: RankOutcome): string[] {
  if (outcome.recorded !== undefined) return textOf(outcome.recorded, outcome.stderrShown).split('\n');
  return outcome.stderrTail.length > 0 ? ['its last lines on stderr:', ...outcome.stderrTail] : [];
}

// What the rank has shown itself stands above with its stack.
function textOf({ callstack, message, isShown }: RecordedError, stderrShown: boolean): string {
  return (isShown && stderrShown ? message : (callstack ?? message)).trimEnd();
}

/** What another rank failed with, in a line. */
function describeOther({ recorded, stderrShown }: RankOutcome, cause: RankOutcome): string {
  if (recorded === undefined || (recorded.isShown && stderrShown)) return '';
  const isSame = cause.recorded?.message === recorded.message;
  return isSame ? ', with the same error' : `: ${textOf(recorded, stderrShown).split('\n')[0]}`;
}

function describeStop(outcome: RankOutcome): string {
  const before = outcome.wasSuspended ? '; until then it was stopped, as by SIGSTOP' : '';
  if (outcome.stoppedWith === undefined) return before;
  if (outcome.stoppedWith === 'SIGKILL') return `, as it did not stop when asked to${before}`;
  return ` when asked to stop${before}`;
}

/** Whether others waited for a rank since it was stopped. Let go on to be ended, it may still say that their time was over. */
export function keptWaiting(cause: RankOutcome): boolean {
  return cause.wasSuspended && (cause.recorded === undefined || onlyWaited(cause));
}

function describeCause(cause: RankOutcome): string {
  if (keptWaiting(cause)) return 'was stopped, as by SIGSTOP, while others waited for it';
  return `${describeExit(cause)}${cause.status === 0 ? ' while others still needed it' : ''}`;
}

/** Names the root cause of a failed launch, with its error, and how the other ranks ended. */
export function describeFailure(cause: RankOutcome, outcomes: readonly RankOutcome[]): string {
  const pid = cause.pid === undefined ? '' : `, pid ${cause.pid}`;
  const lines = [`root cause: rank ${cause.rank} (local rank ${cause.localRank}${pid}) ${describeCause(cause)}`];
  for (const line of details(cause)) lines.push(`    ${line}`);
  if (cause.logPath !== undefined) lines.push(`    its log: ${cause.logPath}`);
  for (const other of outcomes) {
    if (other === cause) continue;
    lines.push(`  rank ${other.rank} ${describeExit(other)}${describeStop(other)}${describeOther(other, cause)}`);
  }
  return lines.join('\n');
}
