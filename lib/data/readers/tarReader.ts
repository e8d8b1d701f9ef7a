import { TextDecoder } from 'node:util';
import { AiforgeError } from '../../errors.js';
import { count, kind, oneOf, size, type Kind } from '../../kinds.js';
import { isPlainObject } from '../../realms.js';
import { show } from '../../show.js';
import { nothing, signature } from '../../signature.js';
import { openTakes, StreamDataset, type Position, type SampleReader } from '../stream.js';
import { filesKind } from './filesTable.js';
import { decodePixels } from './decodeImage.js';
import { sampleSteps, type Step } from './sampleSteps.js';
import { invalidTar, tarEntries, type TarEntry } from './tarEntries.js';
import { rememberArguments } from '../workers/remembered.js';

/** What a file becomes: its bytes, UTF-8 text, what JSON says, a whole number, an RGB image as of `decodeImage`, or what a function makes. */
export type TarDecoder =
  'bytes' | 'text' | 'json' | 'integer' | 'image' | ((bytes: Uint8Array, name: string) => unknown);

export interface TarReaderOptions {
  /** How to decode files, by what follows the first dot of their names, in small letters. Default: every file stays bytes. */
  decode?: Readonly<Record<string, TarDecoder>>;
  /**
   * What to do about entries that belong to no sample: links, devices, names that are absolute, lead outside or have no ending.
   * `'skip'` counts them in `skipped`. Default: `'error'`.
   */
  badEntries?: 'error' | 'skip';
  /** Refuses a sample whose files are larger together. Default: 1 GiB. */
  maxSampleBytes?: number;
}

/** The files of one name, by what follows its first dot, and that name. */
export interface TarSample {
  readonly __key__: string;
  readonly [ending: string]: unknown;
}

const words = ['bytes', 'text', 'json', 'integer', 'image'];
const isDecoder = (value: unknown): boolean => typeof value === 'function' || words.includes(value as string);
const decodersKind: Kind<Readonly<Record<string, TarDecoder>>> = kind(
  `an object with 'bytes', 'text', 'json', 'integer', 'image' or a function for each ending, as { jpg: 'image' }`,
  (value) =>
    isPlainObject(value) &&
    Object.entries(value).every(([ending, each]) => !/[A-Z]|^\./.test(ending) && isDecoder(each)),
);

const tarReaderTakes = signature<TarReaderOptions>(
  {
    shards: filesKind,
  },
  { decode: decodersKind, badEntries: oneOf('error', 'skip'), maxSampleBytes: count },
);

interface TarPosition {
  readonly shard: number;
  readonly byte: number;
}

const isPosition = (value: unknown, shards: number): value is TarPosition => {
  if (!isPlainObject(value) || !size.accepts(value.shard) || !size.accepts(value.byte)) return false;
  return (value.shard as number) <= shards && (value.byte as number) % 512 === 0;
};

/** What is wrong with an entry that cannot belong to a sample; undefined where nothing is. */
function problemOf({ name, type }: TarEntry): string | undefined {
  if (type !== 'file' && type !== 'contiguous-file') return `is no file but a ${type ?? 'thing of an unknown kind'}`;
  if (/^[/\\]|^[a-z]:/i.test(name)) return 'has an absolute name';
  if (name.split(/[/\\]/).includes('..')) return 'has a name that leads outside';
  if (/[\0\ufffd]/.test(name)) return 'has a name that is no UTF-8 text';
  if (!nameOf.test(name)) return 'has no ending, which would say what it is in its sample';
  if (endingOf(name).startsWith('__')) return 'has an ending that begins with __, which is kept for __key__';
  return undefined;
}

/** A sample's name is what comes before the first dot of the file's, with its folders, as in WebDataset. */
const nameOf = /^((?:[^]*\/)?[^./][^./]*)\.([^/]+)$/;
const keyOf = (name: string): string => nameOf.exec(name)![1]!;
const endingOf = (name: string): string => nameOf.exec(name)![2]!.toLowerCase();

/** Folders, and what WebDataset writes of its own, as `__index__.json`. */
const isBeside = ({ name, type }: TarEntry): boolean => type === 'directory' || /(^|\/)__[^/]*__(\.|\/|$)/.test(name);

/**
 * Samples of tar archives as WebDataset has them: files whose names are one up to the first dot, one after another, are a sample.
 * Several archives (shards) follow each other; they are the `parts()`. Archives that end in `.gz` or `.tgz` are decompressed; to go on in
 * one is quicker in archives that are not. Needs the package tar-stream.
 *
 * @throws AiforgeError from its readers FILE_INVALID for what is damaged, FILE_NOT_FOUND, MISSING_DEPENDENCY.
 * @example
 * import { data } from 'aiforge';
 * import { createWriteStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import tar from 'tar-stream';
 * const pack = tar.pack();
 * for (const [name, content] of [['0.txt', 'one'], ['0.cls', '7'], ['1.txt', 'two'], ['1.cls', '2']]) pack.entry({ name }, content);
 * pack.finalize();
 * await pipeline(pack, createWriteStream('/tmp/shard-0.tar'));
 * const reader = new data.TarReader(['/tmp/shard-0.tar'], { decode: { txt: 'text', cls: 'integer' } });
 * for await (const { __key__, txt, cls } of reader) console.log(__key__, txt, cls); // 0 one 7
 */
export class TarReader extends StreamDataset<TarSample> {
  readonly shards: readonly string[];
  /** How many bad entries were left out by all readings so far, where `badEntries` is `'skip'`. */
  skipped = 0;
  readonly #options: TarReaderOptions;
  readonly #decoders: ReadonlyMap<string, TarDecoder>;

  constructor(shards: string | readonly string[], options: TarReaderOptions = {}) {
    super();
    tarReaderTakes.check(new.target.name, arguments);
    this.shards = typeof shards === 'string' ? [shards] : [...shards];
    this.#options = options;
    this.#decoders = new Map(Object.entries(options.decode ?? {}));
    if (new.target === TarReader) rememberArguments(this, 'TarReader', arguments);
  }

  /** The shards, where there are several. */
  override parts(): readonly TarReader[] {
    nothing.check('parts', arguments);
    return this.shards.length < 2 ? [] : this.shards.map((shard) => new TarReader([shard], this.#options));
  }

  open(position: Position = { shard: 0, byte: 0 }): SampleReader<TarSample> {
    openTakes.check('open', arguments);
    if (isPosition(position, this.shards.length))
      return sampleSteps(this.#samples(position), position as unknown as Position);
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `TarReader: a position is { shard, byte } as position() gives it, of ${this.shards.length} shards, got ${show(position)}.`,
    );
  }

  async *#samples(from: TarPosition): AsyncGenerator<Step<TarSample>, void, undefined> {
    for (let shard = from.shard; shard < this.shards.length; ++shard) {
      const file = this.shards[shard]!;
      const isLast = shard === this.shards.length - 1;
      let made: Files | undefined;
      for await (const entry of tarEntries(file, shard === from.shard ? from.byte : 0)) {
        if (!this.#isTaken(file, entry)) {
          entry.skip();
          continue;
        }
        const key = keyOf(entry.name);
        if (made !== undefined && made.key !== key) {
          yield [await this.#decoded(file, made), { shard, byte: entry.start }];
          made = undefined;
        }
        made ??= { key, files: new Map(), bytes: 0 };
        await this.#add(file, made, entry);
      }
      if (made !== undefined)
        yield [
          await this.#decoded(file, made),
          isLast ? { shard: this.shards.length, byte: 0 } : { shard: shard + 1, byte: 0 },
        ];
    }
  }

  #isTaken(file: string, entry: TarEntry): boolean {
    if (isBeside(entry)) return false;
    const problem = problemOf(entry);
    if (problem === undefined) return true;
    if (this.#options.badEntries !== 'skip') {
      throw invalidTar(
        file,
        entry.start,
        `${show(entry.name)} ${problem}; give { badEntries: 'skip' } to leave such entries out`,
      );
    }
    ++this.skipped;
    return false;
  }

  async #add(file: string, made: Files, entry: TarEntry): Promise<void> {
    const { maxSampleBytes = 2 ** 30 } = this.#options;
    const ending = endingOf(entry.name);
    if (made.files.has(ending))
      throw invalidTar(file, entry.start, `the sample '${made.key}' has two files '${ending}'`);
    made.bytes += entry.size;
    if (!(made.bytes <= maxSampleBytes)) {
      const problem = `the sample '${made.key}' has ${made.bytes} bytes with '${entry.name}', more than maxSampleBytes, ${maxSampleBytes}`;
      throw invalidTar(file, entry.start, problem);
    }
    made.files.set(ending, { name: entry.name, start: entry.start, bytes: await entry.bytes() });
  }

  async #decoded(file: string, { key, files }: Files): Promise<TarSample> {
    const sample: Record<string, unknown> & { __key__: string } = { __key__: key };
    for (const [ending, each] of files)
      sample[ending] = await decode(file, each, this.#decoders.get(ending) ?? 'bytes');
    return sample;
  }
}

/** The files of a sample, by their endings. */
interface Files {
  readonly key: string;
  readonly files: Map<string, File>;
  bytes: number;
}

interface File {
  readonly name: string;
  readonly start: number;
  readonly bytes: Buffer;
}

async function decode(file: string, { name, start, bytes }: File, decoder: TarDecoder): Promise<unknown> {
  if (typeof decoder === 'function') return decoder(bytes, name);
  if (decoder === 'bytes') return bytes;
  if (decoder === 'image')
    return decodePixels(bytes, { mode: 'RGB' }, `TarReader: '${file}', byte ${start}: '${name}'`);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (decoder === 'text') return text;
    if (decoder === 'json') return JSON.parse(text) as unknown;
    return wholeOf(text);
  } catch (cause) {
    throw invalidTar(file, start, `'${name}' cannot be decoded as ${decoder}: ${(cause as Error).message}`, cause);
  }
}

function wholeOf(text: string): number {
  const value = Number(text.trim());
  if (/^[+-]?\d+$/.test(text.trim()) && Number.isSafeInteger(value)) return value;
  throw new Error(`expected a whole number up to 2^53, got ${show(text)}`);
}
