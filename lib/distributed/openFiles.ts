import { closeSync, openSync, readFileSync } from 'node:fs';

/** What a group opens, besides a socket for each rank. */
const ofGroup = 8;

/** Says so where this process cannot open the files and sockets of a group; undefined where it can. */
export function tooManyOpenFiles(worldSize: number): string | undefined {
  const opened: number[] = [];
  try {
    while (opened.length < ofGroup + worldSize) opened.push(openSync('/dev/null', 'r'));
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENFILE') return 'too many open files on this machine. Close some, or raise fs.file-max.';
    if (code !== 'EMFILE') return undefined;
  } finally {
    for (const file of opened) closeSync(file);
  }
  const limit = limitOfProcess();
  const most = limit === undefined ? '' : `, ${limit} at once at most`;
  return `too many open files: this process can open no more of them and of sockets${most}. Raise the limit (ulimit -n), or destroy groups that are not needed.`;
}

function limitOfProcess(): string | undefined {
  try {
    return /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
  } catch {
    return undefined;
  }
}
