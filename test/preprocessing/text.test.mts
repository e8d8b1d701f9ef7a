import { tensor } from 'aiforge';
import * as preprocessing from 'aiforge/preprocessing';
import { expect } from 'chai';

import { refusalOf } from '../support/refusal.mjs';

const { normalizeText, padSequences, Vocabulary } = preprocessing;

const refusal = (work: () => unknown): string => refusalOf(work).message;

describe('normalizeText', () => {
  it('gives one form of what looks the same', () => {
    expect(normalizeText('e\u0301')).to.equal('\u00e9');
    expect(normalizeText('\u00e9', { form: 'NFD' })).to.equal('e\u0301');
    expect(normalizeText('\ufb01 \uff21', { form: 'NFKC' })).to.equal('fi A');
    expect(normalizeText('e\u0301', { form: null })).to.equal('e\u0301');
  });

  it('takes away case, accents and whitespace where it is asked to', () => {
    expect(normalizeText('ÅngstrÖm', { lowercase: true })).to.equal('ångström');
    expect(normalizeText('ÅngstrÖm', { stripAccents: true })).to.equal('AngstrOm');
    expect(normalizeText('\u00a0 a \t\n b\u2003', { collapseWhitespace: true })).to.equal('a b');
    expect(normalizeText(' a ')).to.equal(' a ');
    expect(refusal(() => normalizeText(5 as never))).to.match(/text must be a string/);
    expect(refusal(() => normalizeText('a', { lowerCase: true } as never))).to.match(/lowercase/);
    expect(refusal(() => normalizeText('a', { form: 'NFX' as never }))).to.match(/'NFKC'/);
  });
});

describe('Vocabulary', () => {
  const items = [['b', 'a', 'c', 'a'], ['c', 'a', '<pad>', '\u{1D54F}', '\uFFEE']]; // prettier-ignore

  it('numbers tokens by how often they are there, then by their code points', () => {
    const vocabulary = new Vocabulary();
    vocabulary.fit(items);
    expect(vocabulary.tokens).to.deep.equal(['<pad>', '<unk>', 'a', 'c', 'b', '\uFFEE', '\u{1D54F}']);
    const ids = vocabulary.transform(['c', 'zzz', 'a', '__proto__']);
    expect([ids.dtype, ids.tolist<number[]>().map(Number)]).to.deep.equal(['int64', [3, 1, 2, 1]]);
    expect(vocabulary.inverseTransform(ids)).to.deep.equal(['c', '<unk>', 'a', '<unk>']);
    expect(vocabulary.transform([]).shape).to.deep.equal([0]);
  });

  it('leaves out rare tokens, and those beyond its size', async () => {
    const vocabulary = new Vocabulary({ minFreq: 2, maxTokens: 3, specials: ['<unk>', '<s>'] });
    await vocabulary.fit((async function* () {
      for (const item of items) yield await Promise.resolve(item);
    })()); // prettier-ignore
    expect(vocabulary.tokens).to.deep.equal(['<unk>', '<s>', 'a']);
    const strict = new Vocabulary({ specials: [], unknown: null });
    strict.fit(items);
    expect(refusal(() => strict.transform(['zzz']))).to.match(/no token 'zzz', and unknown is null/);
  });

  it('has a state, and refuses what is none', () => {
    const vocabulary = new Vocabulary();
    vocabulary.fit(items);
    const state = JSON.parse(JSON.stringify(vocabulary.state())) as { tokens: string[] };
    const other = new Vocabulary();
    other.restore(state);
    expect(other.tokens).to.deep.equal(vocabulary.tokens);
    for (const damage of [
      null,
      {},
      { ...state, tokens: ['a'] },
      { ...state, tokens: [...state.tokens, 'a'] },
      { ...state, tokens: [...state.tokens, 5] },
      { ...state, version: 2 },
      { ...state, more: 1 },
      JSON.parse('{"__proto__": []}'),
    ])
      expect(refusalOf(() => other.restore(damage)).code).to.equal('FILE_INVALID');
    expect(refusalOf(() => new Vocabulary({ minFreq: 2 }).restore(state)).message).to.match(/"minFreq":1/);
    expect(other.tokens).to.deep.equal(vocabulary.tokens);
  });

  it('refuses what it cannot use', () => {
    const vocabulary = new Vocabulary();
    expect(refusal(() => vocabulary.transform(['a']))).to.match(/learnt nothing yet/);
    expect(refusal(() => vocabulary.fit(['a text'] as never))).to.match(/array of tokens.*split it/);
    expect(refusal(() => vocabulary.fit(items, { size: 3 }))).to.match(/takes no arguments, got size/);
    expect(refusal(() => new Vocabulary({ unknown: '<x>' }))).to.match(/one of specials/);
    expect(refusal(() => new Vocabulary({ maxTokens: 1 }))).to.match(/2 or more/);
    vocabulary.fit(items);
    expect(refusal(() => vocabulary.inverseTransform(tensor([99])))).to.match(/from 0 to 6, got 99/);
    expect(refusal(() => vocabulary.inverseTransform(tensor([-1])))).to.match(/from 0 to 6/);
  });
});

describe('padSequences', () => {
  const plain = ({ inputIds, attentionMask }: preprocessing.Encoding) => [inputIds.tolist(), attentionMask.tolist()];

  it('pads to the longest, on either side', () => {
    const sequences = [[5, 6, 7], tensor([8]), []];
    expect(plain(padSequences(sequences))).to.deep.equal([
      [[5, 6, 7], [8, 0, 0], [0, 0, 0]],
      [[1, 1, 1], [1, 0, 0], [0, 0, 0]],
    ]); // prettier-ignore
    expect(plain(padSequences(sequences, { paddingSide: 'left', paddingValue: -1 }))).to.deep.equal([
      [[5, 6, 7], [-1, -1, 8], [-1, -1, -1]],
      [[1, 1, 1], [0, 0, 1], [0, 0, 0]],
    ]); // prettier-ignore
    expect(padSequences([]).inputIds.shape).to.deep.equal([0, 0]);
  });

  it('cuts to a length, on either side', () => {
    const of = (options: preprocessing.PadSequencesOptions) => plain(padSequences([[1, 2, 3], [4]], options))[0];
    expect(of({ maxLength: 2 })).to.deep.equal([[1, 2], [4, 0]]); // prettier-ignore
    expect(of({ maxLength: 2, truncationSide: 'left' })).to.deep.equal([[2, 3], [4, 0]]); // prettier-ignore
    expect(of({ maxLength: 5 })).to.deep.equal([[1, 2, 3], [4, 0, 0]]); // prettier-ignore
    expect(of({ maxLength: 5, padding: 'max_length' })).to.deep.equal([[1, 2, 3, 0, 0], [4, 0, 0, 0, 0]]); // prettier-ignore
  });

  it('refuses what are no sequences', () => {
    expect(refusal(() => padSequences([[1.5]]))).to.match(/sequence 0 must be an array of whole numbers/);
    expect(refusal(() => padSequences([tensor([[1]])]))).to.match(/sequence 0/);
    expect(refusal(() => padSequences([[1]], { padding: 'max_length' }))).to.match(/needs maxLength/);
    expect(refusal(() => padSequences([[1]], { maxLength: 0 }))).to.match(/maxLength/);
  });
});
