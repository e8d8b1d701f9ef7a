import * as zlib from 'node:zlib';

import { optionalLibrary } from '../../optionalLibrary.js';
import { decompressLz4 } from './lz4.js';

/** What is needed of apache-arrow. */
export interface Arrow {
  readonly RecordBatchReader: {
    from(source: Uint8Array): { open(): { readonly schema: object } };
    from(source: AsyncIterable<Uint8Array>): Promise<AsyncIterable<unknown>>;
  };
  readonly Message: {
    decode(bytes: Uint8Array): ArrowMessage;
    from(schema: object): ArrowMessage;
    encode(message: ArrowMessage): Uint8Array;
  };
  readonly MessageHeader: { readonly RecordBatch: number; readonly Schema: number };
  /** Releases before 21 know no compression. */
  readonly compressionRegistry?: Registry;
  readonly CompressionType?: { readonly LZ4_FRAME: number; readonly ZSTD: number };
}

export interface ArrowMessage {
  readonly headerType: number;
  readonly bodyLength: number;
}

interface Registry {
  get(type: number): object | null;
  set(type: number, codec: { decode(bytes: Uint8Array): Uint8Array }): void;
}

const uses = ['RecordBatchReader', 'Message', 'MessageHeader'];

/** apache-arrow, with what decompresses its buffers where nobody has given it that. */
export async function arrowLibrary(): Promise<Arrow> {
  const arrow = await optionalLibrary<Arrow>('ArrowReader', 'apache-arrow', uses);
  const { compressionRegistry: registry, CompressionType: types } = arrow;
  if (registry === undefined || types === undefined) return arrow;
  const { zstdDecompressSync: zstd } = zlib as never as Record<string, ((bytes: Uint8Array) => Uint8Array) | undefined>;
  if (registry.get(types.LZ4_FRAME) === null) registry.set(types.LZ4_FRAME, { decode: decompressLz4 });
  if (zstd !== undefined && registry.get(types.ZSTD) === null)
    registry.set(types.ZSTD, { decode: (bytes) => zstd(bytes) });
  return arrow;
}
