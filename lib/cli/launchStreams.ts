const others = { stdout: 'stderr', stderr: 'stdout' } as const;

type Name = keyof typeof others;

const tell = (to: Name, message: string): void => void process[to].write(`aiforge-launch: ${message}\n`);

let isUnread = false;

/** Whether the launch was stopped since nobody reads stdout any more. */
export const nobodyReads = (): boolean => isUnread;

function stopUnread(): void {
  isUnread = true;
  tell('stderr', 'nobody reads the output any more; stopping');
  process.kill(process.pid, 'SIGTERM');
}

/**
 * Says once of a stream that it cannot be written, on the other: a full disk is no reason to stop. Where nobody reads stdout any more,
 * as after `| head`, the launch is stopped as on request.
 */
export function watchStreams(): void {
  for (const name of ['stdout', 'stderr'] as const) {
    let isTold = false;
    process[name].on('error', ({ code, message }: NodeJS.ErrnoException) => {
      if (isTold) return;
      isTold = true;
      if (name === 'stdout' && code === 'EPIPE') stopUnread();
      else tell(others[name], `what is printed on ${name} cannot be written, and is lost: ${message}`);
    });
  }
}
