import * as zlib from 'node:zlib';

import { AiforgeError } from '../../../errors.js';

/** Decompresses the bytes of a page, which say how many they become. */
export type Decompress = (bytes: Uint8Array, length: number) => Uint8Array;

interface Compressors {
  compressors: Readonly<Record<string, Decompress | undefined>>;
}

// What Node has built in, zstd from 22.15 on.
const builtIn: Readonly<Record<string, ((bytes: Uint8Array, options: zlib.ZlibOptions) => Uint8Array) | undefined>> = {
  GZIP: zlib.gunzipSync,
  BROTLI: zlib.brotliDecompressSync,
  ZSTD: (zlib as never as Record<string, never>).zstdDecompressSync,
};

/** Loads a package that there need not be; null where there is none. */
async function compressorsPackage(): Promise<Compressors | null> {
  const name = 'hyparquet-compressors';
  try {
    return (await import(/* webpackIgnore: true */ name)) as Compressors;
  } catch {
    return null;
  }
}

/**
 * What decompresses pages of a codec. Throws MISSING_DEPENDENCY for one that neither hyparquet nor Node has and hyparquet-compressors,
 * which is not installed, has.
 *
 * @param snappy hyparquet's.
 */
export async function decompressorOf(
  codec: string,
  snappy: (bytes: Uint8Array, into: Uint8Array) => unknown,
  where: string,
): Promise<Decompress> {
  if (codec === 'UNCOMPRESSED') return (bytes) => bytes;
  if (codec === 'SNAPPY') {
    return (bytes, length) => {
      const page = new Uint8Array(length);
      snappy(bytes, page);
      return page;
    };
  }
  const own = builtIn[codec];
  if (own !== undefined) return (bytes, length) => own(bytes, { maxOutputLength: Math.max(1, length) });
  const further = await compressorsPackage();
  const found = further?.compressors[codec];
  if (found !== undefined) return found;
  const remedy = further === null ? 'Run: npm install hyparquet-compressors' : 'Write the file with snappy or zstd';
  throw new AiforgeError(
    'MISSING_DEPENDENCY',
    `${where}: it is compressed with ${codec}, which needs the package hyparquet-compressors. ${remedy}`,
  );
}
