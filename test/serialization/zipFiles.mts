import { writeFileSync } from 'node:fs';

import { ZipReader } from '#lib/tensor/files/zipReader.js';
import { zipChunks } from '#lib/serialization/zipWriter.js';
import { withFile } from '#lib/tensor/files/openFile.js';

export interface Content {
  name: string;
  content: Uint8Array;
}

export function readZip(file: string): Content[] {
  return withFile(file, 'zip file', (opened) => {
    const zip = new ZipReader(opened);
    return [...zip.names()].map((name) => ({ name, content: zip.read(name) }));
  });
}

/** Writes a zip whose checksums are right, whatever is in it. */
export function writeZip(file: string, entries: readonly Content[]): void {
  const whole = entries.map(({ name, content }) => ({ name, size: content.length, chunks: () => [content] }));
  writeFileSync(file, Buffer.concat([...zipChunks(whole)]));
}

/** Writes a file of torch.save with this pickle, given as bytes or as characters with their values. */
export function writePickle(file: string, pickle: string | Uint8Array): void {
  const content = typeof pickle === 'string' ? Buffer.from(pickle, 'latin1') : pickle;
  writeZip(file, [{ name: 'archive/data.pkl', content }]);
}
