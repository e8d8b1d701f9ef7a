import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';

/** Signals every process of a group; one that has ended meanwhile is no error. */
export function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}

/** What Linux says of a process: its state, its parent and its group; empty where it is gone. */
function statOf(pid: string | number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command's name stands in parentheses and may hold anything; state, parent and group follow it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

function isLivingMember(pid: string, group: number): boolean {
  const [state, , memberOf] = statOf(pid);
  return Number(memberOf) === group && state !== 'Z' && state !== 'X';
}

/** Whether a process is stopped, as by SIGSTOP; one that a debugger holds is not. */
export function isSuspended(pid: number): boolean {
  return statOf(pid)[0] === 'T';
}

/** Whether a process has a handler for a signal; where the system does not tell, it is taken to have one. */
export function catches(pid: number, signal: NodeJS.Signals): boolean {
  if (process.platform !== 'linux') return true;
  try {
    const [, mask = '0'] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return ((BigInt(`0x${mask}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
  } catch {
    return false;
  }
}

/** Whether anything of the group still runs. Zombies do not count: where init reaps none they would stay for good. */
export function groupIsAlive(group: number): boolean {
  if (!signalGroup(group, 0)) return false;
  if (process.platform !== 'linux') return true;
  return readdirSync('/proc').some((entry) => /^\d+$/.test(entry) && isLivingMember(entry, group));
}
