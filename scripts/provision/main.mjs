import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ProvisionError } from '../locate/failure.cjs';

export { ProvisionError };

/** The exit statuses that a shell gives to a process ended by these signals. */
export const SIGNAL_STATUS = { SIGINT: 130, SIGTERM: 143 };

/** Runs a script's main function; a failure ends in one message on standard error and exit status 1 (130 after Ctrl-C). */
export async function runMain(main) {
  for (const [signal, status] of Object.entries(SIGNAL_STATUS)) {
    // While a command runs, its own listener sees to an orderly end.
    process.on(signal, () => process.listenerCount(signal) === 1 && process.exit(status));
  }
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    process.stderr.write(
      `\naiforge: ${error instanceof ProvisionError ? describe(error) : describeUnexpected(error)}\n`,
    );
    process.exitCode = error.exitStatus ?? 1;
  }
}

function describe({ code, message }) {
  return code ? `${code}: ${message}` : message;
}

function describeUnexpected(error) {
  if (error?.code === 'ENOSPC') return 'the disk is full. Free about 2 GB and run the command again.';
  if (['EACCES', 'EPERM', 'EROFS', 'ENOTDIR'].includes(error?.code)) {
    return `${error.path} cannot be written (${error.code}). Make it writable, or set XDG_CACHE_HOME to a folder that is.`;
  }
  return `${error?.message ?? error}. Set AIFORGE_DEBUG=1 for the stack trace.${process.env.AIFORGE_DEBUG ? `\n${error?.stack}` : ''}`;
}

/** Whether the module is the script that Node was started with. */
export function isMain(moduleUrl) {
  return Boolean(process.argv[1]) && realpathSync(process.argv[1]) === fileURLToPath(moduleUrl);
}
