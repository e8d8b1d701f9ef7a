import type { Hello, Start } from './messages.js';

/** What one node brings to a start. */
export interface Participant {
  hello: Pick<Hello, 'nproc' | 'role' | 'nodeRank'>;
  /** In which order nodes came. */
  joined: number;
}

/** By the ranks that nodes were given, those that were given none after them, as they came. */
export function inOrder<P extends Participant>(participants: readonly P[]): P[] {
  const rank = ({ hello }: P): number => hello.nodeRank ?? Infinity;
  return [...participants].sort((a, b) => (rank(a) === rank(b) ? a.joined - b.joined : rank(a) - rank(b)));
}

type Place = Pick<
  Start,
  'groupRank' | 'groupWorldSize' | 'firstRank' | 'worldSize' | 'firstRoleRank' | 'roleWorldSize'
>;

/** The ranks of each node, numbered through in the nodes' order; nodes need not have as many. */
export function placesOf(participants: readonly Participant[]): Place[] {
  const sum = (of: readonly Participant[]): number => of.reduce((total, { hello }) => total + hello.nproc, 0);
  return participants.map(({ hello }, groupRank) => {
    const before = participants.slice(0, groupRank);
    const isOfRole = (other: Participant): boolean => other.hello.role === hello.role;
    return {
      groupRank,
      groupWorldSize: participants.length,
      firstRank: sum(before),
      worldSize: sum(participants),
      firstRoleRank: sum(before.filter(isOfRole)),
      roleWorldSize: sum(participants.filter(isOfRole)),
    };
  });
}
