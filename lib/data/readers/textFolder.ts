import { Buffer, constants, isUtf8 } from 'node:buffer';
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';

import { AiforgeError } from '../../errors.js';
import { boolean, kind, listOf, string } from '../../kinds.js';
import { signature } from '../../signature.js';
import { checkIndex, type Dataset, getTakes } from '../dataset.js';
import { badFile } from './byteSource.js';
import { rememberArguments } from '../workers/remembered.js';

/** Which files of a folder are samples. */
export interface TextFolderOptions {
  /** How the names of samples end, in letters of any case. Default: `['.txt']`. */
  extensions?: readonly string[];
  /** Takes classes without a sample. Default: false. */
  allowEmpty?: boolean;
}

const folderTakes = signature<TextFolderOptions>(
  { root: string },
  {
    extensions: listOf(
      kind<string>('a text of one letter or more', (value) => typeof value === 'string' && value !== ''),
    ),
    allowEmpty: boolean,
  },
);

/** As Python sorts: by code points. */
const inOrder = (names: readonly string[]): string[] =>
  [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

/**
 * Texts in files of a folder, labelled by the subfolder that they are in, as torchvision's `ImageFolder` does for images: the label is the
 * number of the subfolder in the order of names. The list of files is made once; a file is read when it is asked for.
 *
 * @throws AiforgeError FILE_NOT_FOUND without a folder, subfolders or samples in one of them; from `get` FILE_INVALID for a file that is
 * not UTF-8.
 * @example
 * import { data } from 'aiforge';
 * import { mkdirSync, writeFileSync } from 'node:fs';
 * for (const label of ['ham', 'spam']) {
 *   mkdirSync(`/tmp/aiforge-mails/${label}`, { recursive: true });
 *   writeFileSync(`/tmp/aiforge-mails/${label}/1.txt`, `This is ${label}.`);
 * }
 * const mails = new data.TextFolder('/tmp/aiforge-mails');
 * mails.get(1); // ['This is spam.', 1]
 * mails.classes; // ['ham', 'spam']
 */
export class TextFolder implements Dataset<[text: string, label: number]> {
  /** The names of the subfolders. */
  readonly classes: readonly string[];
  /** The file of each sample. */
  readonly files: readonly string[];
  /** The label of each sample. */
  readonly targets: readonly number[];

  constructor(
    readonly root: string,
    options: TextFolderOptions = {},
  ) {
    folderTakes.check(new.target.name, arguments);
    const { extensions = ['.txt'], allowEmpty = false } = options;
    const endings = extensions.map((each) => each.toLowerCase());
    const isSample = (file: string): boolean => endings.some((ending) => file.toLowerCase().endsWith(ending));
    const entries = withSystemErrors(root, () => entriesOf(root));
    this.classes = inOrder(entries.folders);
    if (this.classes.length === 0) throw noSamples(`${root} has no subfolders, which would be the classes`);
    const files = this.classes.map((name) => {
      const folder = path.join(root, name);
      const found = withSystemErrors(folder, () => filesBelow(folder, [])).filter(isSample);
      if (found.length > 0 || allowEmpty) return found;
      throw noSamples(`${folder} has no file whose name ends in ${extensions.join(', ')}`);
    });
    this.files = files.flat();
    this.targets = files.flatMap((found, label) => found.map(() => label));
    if (new.target === TextFolder) rememberArguments(this, 'TextFolder', arguments);
  }

  get length(): number {
    return this.files.length;
  }

  get(index: number): [text: string, label: number] {
    if (arguments.length > 1) getTakes.check('get', arguments);
    checkIndex('TextFolder', index, this.length);
    const file = this.files[index]!;
    return [withSystemErrors(file, () => textOf(file)), this.targets[index]!];
  }
}

function textOf(file: string): string {
  const { size } = statSync(file);
  // In UTF-8 a character has up to three bytes for each unit of a string.
  if (size > 3 * constants.MAX_STRING_LENGTH) throw badFile(file, `it has ${size} bytes, more than a string can have`);
  const bytes = readFileSync(file);
  if (!isUtf8(bytes)) throw badFile(file, 'it is not UTF-8. Convert it, as by: iconv -t UTF-8');
  return bytes.toString().replace(/^\ufeff/, '');
}

interface Entries {
  folders: string[];
  files: string[];
}

/** What a folder has, links as what they lead to. */
function entriesOf(folder: string): Entries {
  const entries: Entries = { folders: [], files: [] };
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const kind = entry.isSymbolicLink() ? statSync(path.join(folder, entry.name), { throwIfNoEntry: false }) : entry;
    if (kind?.isDirectory()) entries.folders.push(entry.name);
    else if (kind?.isFile()) entries.files.push(entry.name);
  }
  return entries;
}

/** The files of a folder and those below it: folder by folder in the order of paths, as torchvision walks. */
function filesBelow(top: string, above: readonly string[]): string[] {
  const found: { folder: string; files: string[] }[] = [];
  const walk = (folder: string, within: readonly string[]): void => {
    const real = realpathSync(folder);
    if (within.includes(real)) throw badFile(folder, `it is a link to a folder that it lies in, ${real}. Remove it`);
    const { folders, files } = entriesOf(folder);
    found.push({ folder, files });
    for (const name of folders) walk(path.join(folder, name), [...within, real]);
  };
  walk(top, above);
  const byFolder = new Map(found.map(({ folder, files }) => [folder, files]));
  return inOrder([...byFolder.keys()]).flatMap((folder) =>
    inOrder(byFolder.get(folder)!).map((name) => path.join(folder, name)),
  );
}

const noSamples = (problem: string): AiforgeError =>
  new AiforgeError('FILE_NOT_FOUND', `TextFolder: ${problem}. Expected ROOT/CLASS/…/FILE.txt.`);

function withSystemErrors<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof AiforgeError) throw cause;
    const shown = place.replaceAll('\0', String.raw`\0`);
    throw new AiforgeError('FILE_NOT_FOUND', `${shown} cannot be read: ${(cause as Error).message}. Check the path.`, {
      cause,
    });
  }
}
