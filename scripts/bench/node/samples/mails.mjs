// E-mails as a user's datasets give them.
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { tensor } from 'aiforge';
import { Tokenizer } from 'aiforge/preprocessing';

const readJson = (folder, name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8'));

/** The body of an e-mail, one character a byte, and whether it is spam. */
function readMail([file, label]) {
  const source = readFileSync(file, 'latin1');
  return [source.slice(source.indexOf('\n\n') + 2), label];
}

/** E-mails as texts, to be put together by `tokenizing`. */
export class Mails {
  constructor(folder) {
    this.files = readJson(folder, 'mails.json');
  }

  get length() {
    return this.files.length;
  }

  get(index) {
    return readMail(this.files[index]);
  }
}

/** Texts and labels of a batch as pieces of words, at most 512, padded to the longest. */
export function tokenizing(folder) {
  const options = { maxLength: 512, padding: 'longest', padToken: '[PAD]' };
  const tokenizer = new Tokenizer(path.join(folder, 'tokenizer.json'), options);
  return (samples) => {
    const { inputIds, attentionMask } = tokenizer.encodeBatch(samples.map(([text]) => text));
    return [inputIds, tensor(samples.map(([, label]) => label)), attentionMask];
  };
}

const words = /[a-z]+|[0-9]+|[!-/:-@[-`{-~]/g;
const length = 256;

/** E-mails as the numbers of their first 256 words, looked up in a list. */
export class MailsOfWords extends Mails {
  constructor(folder) {
    super(folder);
    this.ids = new Map(readJson(folder, 'words.json').map((word, i) => [word, i + 2]));
  }

  get(index) {
    const [text, label] = super.get(index);
    const found = (text.toLowerCase().match(words) ?? []).slice(0, length);
    const ids = new Array(length).fill(0);
    found.forEach((word, i) => (ids[i] = this.ids.get(word) ?? 1));
    return [tensor(ids), label];
  }
}
