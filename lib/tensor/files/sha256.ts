import { createHash } from 'node:crypto';
import { withFile } from './openFile.js';

/** The SHA-256 of a file. Throws FILE_NOT_FOUND; `format` is what the file is, for an error. */
export function sha256OfFile(file: string, format: string): string {
  return withFile(file, format, (opened) => {
    const hash = createHash('sha256');
    for (const chunk of opened.chunks()) hash.update(chunk);
    return hash.digest('hex');
  });
}
