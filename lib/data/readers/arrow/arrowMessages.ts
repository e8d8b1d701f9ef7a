import { Buffer } from 'node:buffer';
import { AiforgeError } from '../../../errors.js';
import type { LocalFile } from '../localFile.js';
import type { Arrow, ArrowMessage } from './arrowLibrary.js';
import { checkFooter, checkMessage } from './checkMessage.js';

/** The error for a damaged file. */
export const invalidArrow = (path: string, problem: string, cause?: unknown): AiforgeError =>
  new AiforgeError('FILE_INVALID', `ArrowReader: '${path}'${problem}.`, { cause });

const fileMagic = 'ARROW1';
const continued = 0xffffffff;

/** Where the messages of a file lie: an IPC file has those of a stream between its magic words and its footer. */
async function extentOf(file: LocalFile): Promise<[start: number, end: number]> {
  const head = (await file.read(0, Math.min(8, file.size))).toString('latin1');
  if (head.startsWith('FEA1'))
    throw invalidArrow(file.path, ' is of Feather version 1, which is not read: write it as version 2');
  if (!head.startsWith(fileMagic)) return [0, file.size];
  const foot = file.size < 18 ? Buffer.alloc(10) : await file.read(file.size - 10, 10);
  if (foot.toString('latin1', 4) !== fileMagic)
    throw invalidArrow(file.path, ` does not end with '${fileMagic}': it is truncated`);
  const end = file.size - 10 - foot.readUInt32LE(0);
  if (end < 8)
    throw invalidArrow(file.path, ` says to have ${foot.readUInt32LE(0)} bytes of footer, and has ${file.size} in all`);
  return [8, end];
}

/** The schema in a file's footer, as a message of a stream. */
async function footerSchema(
  { RecordBatchReader, Message }: Arrow,
  file: LocalFile,
  start: number,
): Promise<Uint8Array> {
  const footer = await file.read(start, file.size - start);
  try {
    const dictionaries = checkFooter(footer.subarray(0, -10));
    // The reader would look for them in the file; here they come as messages.
    if (dictionaries > 0) footer.writeUInt32LE(0, dictionaries);
    const { schema } = RecordBatchReader.from(Buffer.concat([Buffer.from(`${fileMagic}\0\0`), footer])).open();
    const metadata = Message.encode(Message.from(schema));
    const bytes = Buffer.alloc(8 + 8 * Math.ceil(metadata.length / 8));
    bytes.writeUInt32LE(continued, 0);
    bytes.writeUInt32LE(bytes.length - 8, 4);
    bytes.set(metadata, 8);
    return bytes;
  } catch (cause) {
    throw invalidArrow(file.path, `: its footer is damaged: ${(cause as Error).message}`, cause);
  }
}

/**
 * The messages of a file, each in memory of its own that tensors may stand on. Batches before `first` are passed over without being
 * read.
 */
export async function* arrowMessages(
  arrow: Arrow,
  file: LocalFile,
  first: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { Message, MessageHeader } = arrow;
  const [start, end] = await extentOf(file);
  const isFile = start > 0;
  let batch = 0;
  for (let at = start; ;) {
    if (isFile && at === end) return;
    if (at + 4 > end)
      throw invalidArrow(file.path, `, byte ${at}: it ends without the mark of its end: it is truncated`);
    const head = await file.read(at, Math.min(8, end - at));
    const isContinued = head.readUInt32LE(0) === continued;
    const prefix = isContinued ? 8 : 4;
    if (head.length < prefix) throw invalidArrow(file.path, `, byte ${at}: it is truncated`);
    const length = head.readUInt32LE(prefix - 4);
    if (length === 0) return;
    if (at + prefix + length > end) {
      throw invalidArrow(
        file.path,
        `, byte ${at}: a message says to have ${length} bytes of metadata, and the file ends before: it is no Arrow file, or truncated`,
      );
    }
    let message: ArrowMessage;
    try {
      const metadata = await file.read(at + prefix, length);
      checkMessage(metadata);
      message = Message.decode(metadata);
    } catch (cause) {
      throw invalidArrow(file.path, `, byte ${at}: a message is damaged: ${(cause as Error).message}`, cause);
    }
    const size = prefix + length + message.bodyLength;
    if (!(message.bodyLength >= 0 && at + size <= end)) {
      throw invalidArrow(
        file.path,
        `, byte ${at}: a message says to have ${message.bodyLength} bytes, and the file ends before: it is truncated`,
      );
    }
    // apache-arrow writes the schema of a file into its footer alone.
    if (isFile && at === start && message.headerType !== MessageHeader.Schema)
      yield await footerSchema(arrow, file, end);
    const isPassed = message.headerType === MessageHeader.RecordBatch && batch++ < first;
    if (!isPassed) {
      const bytes = new Uint8Array(new SharedArrayBuffer(size));
      bytes.set(await file.read(at, size));
      yield bytes;
    }
    at += size;
  }
}
