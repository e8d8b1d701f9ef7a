import { isError } from '../../realms.js';
import { showThrown } from '../../show.js';

/** What a rank that ends tells of the others; where it is neither, the rank failed for a reason of its own. */
export interface OthersAtFault {
  /** Whether it says no more than that another rank has ended. */
  isConsequence: boolean;
  /** Whether it says that it waited in vain. */
  isTimeout: boolean;
}

// What this library, and Gloo in Python, say where the connection to another rank is lost.
const lostRank = /Another rank has ended|Connection (closed|reset) by peer|the connection to the store was closed/;

// What this library says of a call that others have not come to, and c10d of a store, at the meeting and later, of Gloo, of NCCL's
// watchdog and of monitoredBarrier. Other timeouts are no affair of other ranks.
const ranOut =
  /failed: timed out after \d+ ms|Timed out (waiting|after \d+ seconds waiting for clients)|client socket has timed out|[Ww]ait timeout|[Cc]ollective operation timeout|monitoredBarrier|(was|were) not set within \d+ ms/;

const nobody: OthersAtFault = { isConsequence: false, isTimeout: false };
/** Of errors within errors; they may go in a circle. */
const deepest = 16;

/** What a text of an error, or several, tells of other ranks. */
export function othersInText(text: string): OthersAtFault {
  return { isConsequence: lostRank.test(text), isTimeout: ranOut.test(text) };
}

/** What an error tells of other ranks, or its cause; one of several errors only what they all tell. */
export function othersInError(error: unknown, depth = 0): OthersAtFault {
  const own = othersInText(isError(error) ? error.message : showThrown(error));
  if (own.isConsequence || own.isTimeout || !isError(error) || depth === deepest) return own;
  if (error.cause !== undefined) return othersInError(error.cause, depth + 1);
  const { errors = [] } = error as Partial<AggregateError>;
  const each = errors.map((one) => othersInError(one, depth + 1));
  if (each.length === 0 || !each.every((told) => told.isConsequence || told.isTimeout)) return nobody;
  return { isConsequence: each.some((told) => told.isConsequence), isTimeout: each.some((told) => told.isTimeout) };
}
