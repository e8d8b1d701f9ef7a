import { statfs } from 'node:fs/promises';
import { ProvisionError } from './main.mjs';

/** Throws ProvisionError where the disk of a folder has less free than installing `what` takes. */
export async function requireSpace(folder, needed, what) {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= needed) return;
  const gigabytes = (bytes) => (bytes / 1e9).toFixed(1);
  throw new ProvisionError(
    `${folder} has ${gigabytes(bavail * bsize)} GB free; installing ${what} needs ${gigabytes(needed)} GB. ` +
      'Free some space, or set XDG_CACHE_HOME to a folder on a larger disk.',
    'LIBTORCH_NOT_FOUND',
  );
}
