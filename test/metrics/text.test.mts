import { expect } from 'chai';
import { ones, tensor, zeros } from 'aiforge';
import {
  BLEUScore,
  CharErrorRate,
  EditDistance,
  MetricCollection,
  Perplexity,
  ROUGEScore,
  WordErrorRate,
  type Metric,
} from 'aiforge/metrics';
import { refusalOf } from '../support/refusal.mjs';
import { likeTorchmetrics } from './recordedCases.mjs';
import { typedItem } from './typedItems.mjs';

const said = (work: () => unknown): string => refusalOf(work).message;

describe('metrics of texts', () => {
  likeTorchmetrics(
    'metrics_text.py',
    {
      CharErrorRate: () => new CharErrorRate(),
      'CharErrorRate of strings': () => new CharErrorRate(),
      'CharErrorRate empty': () => new CharErrorRate(),
      'CharErrorRate too many': () => new CharErrorRate(),
      'CharErrorRate of nothing': () => new CharErrorRate(),
      WordErrorRate: () => new WordErrorRate(),
      'WordErrorRate spaces': () => new WordErrorRate(),
      'WordErrorRate of strings': () => new WordErrorRate(),
      'WordErrorRate empty': () => new WordErrorRate(),
      'WordErrorRate of nothing': () => new WordErrorRate(),
      EditDistance: () => new EditDistance(),
      'EditDistance sum': () => new EditDistance({ reduction: 'sum' }),
      'EditDistance none': () => new EditDistance({ reduction: 'none' }),
      'EditDistance costly': () => new EditDistance({ substitutionCost: 2 }),
      'EditDistance free': () => new EditDistance({ substitutionCost: 0 }),
      'EditDistance of strings': () => new EditDistance(),
      'EditDistance of none': () => new EditDistance(),
      BLEUScore: () => new BLEUScore(),
      'BLEUScore long': () => new BLEUScore(),
      'BLEUScore spaces': () => new BLEUScore({ nGram: 2 }),
      'BLEUScore smooth': () => new BLEUScore({ smooth: true }),
      'BLEUScore nGram': () => new BLEUScore({ nGram: 2 }),
      'BLEUScore weights': () => new BLEUScore({ nGram: 3, weights: [0.5, 0.3, 0.2] }),
      'BLEUScore nothing found': () => new BLEUScore({ smooth: true }),
      'BLEUScore empty': () => new BLEUScore({ nGram: 1 }),
      'BLEUScore same': () => new BLEUScore(),
      ROUGEScore: () => new ROUGEScore(),
      'ROUGEScore avg': () => new ROUGEScore({ accumulate: 'avg' }),
      'ROUGEScore lines': () => new ROUGEScore(),
      'ROUGEScore lines avg': () => new ROUGEScore({ accumulate: 'avg' }),
      'ROUGEScore of one key': () => new ROUGEScore({ rougeKeys: 'rougeLsum' }),
      'ROUGEScore longer': () => new ROUGEScore({ rougeKeys: ['rouge3', 'rouge9'] }),
      'ROUGEScore own words': () =>
        new ROUGEScore({ normalizer: (text) => text.toUpperCase(), tokenizer: (text) => text.split(' ') }),
      'ROUGEScore empty': () => new ROUGEScore(),
      Perplexity: () => new Perplexity(),
      'Perplexity ignored': () => new Perplexity({ ignoreIndex: -100 }),
      'Perplexity ignored token': () => new Perplexity({ ignoreIndex: 2 }),
      'Perplexity all ignored': () => new Perplexity({ ignoreIndex: -100 }),
    },
    { prepare: typedItem },
  );

  type OfPairs = Metric<[predictions: string | string[], targets: string | string[]], unknown>;
  const pairs: Record<string, () => OfPairs> = {
    CharErrorRate: () => new CharErrorRate(),
    WordErrorRate: () => new WordErrorRate(),
    EditDistance: () => new EditDistance(),
    BLEUScore: () => new BLEUScore({ nGram: 2 }),
    ROUGEScore: () => new ROUGEScore(),
  };

  for (const [name, make] of Object.entries(pairs)) {
    const rounded = (_: string, value: unknown) => (typeof value === 'number' ? value.toFixed(12) : value);
    const values = (metric: OfPairs) => JSON.stringify(metric.compute(), rounded);
    const texts = ['a cat sat on a mat', 'the dog ran', 'on and on'];
    const wanted = ['the cat sat on the mat', 'the dog ran away', 'on and off'];

    it(`${name} is the same however the texts are in batches, and in whatever metrics`, () => {
      const [whole, one, other] = [make(), make(), make()];
      whole.update(texts, wanted);
      one.update(texts[0]!, wanted[0]!);
      one.update([], []);
      other.update(texts.slice(1), wanted.slice(1));
      one.merge(other);
      expect(values(one)).to.equal(values(whole));
    });

    it(`${name} refuses a wrong batch, and counts nothing of it`, () => {
      const metric = make();
      metric.update(texts, wanted);
      const value = values(metric);
      expect(said(() => metric.update(texts, wanted.slice(1)))).to.match(/3 predictions and 2 targets/);
      expect(said(() => metric.update([1] as never, ['a']))).to.match(
        /predictions must be a string or an array of strings, got \[1\]/,
      );
      expect(said(() => metric.update(['b', 'a'], ['a', null] as never))).to.match(/target/);
      expect([values(metric), metric.updateCount]).to.deep.equal([value, 1]);
    });
  }

  it('a text may have several references, but not none', () => {
    for (const make of [() => new BLEUScore({ nGram: 1 }), () => new ROUGEScore()] as const) {
      const [one, batch] = [make(), make()];
      one.update('a b', ['a c', 'b']);
      batch.update(['a b'], [['a c', 'b']]);
      expect(JSON.stringify(one.compute())).to.equal(JSON.stringify(batch.compute()));
      expect(said(() => one.update(['a'], [[]]))).to.match(/an array of one string or more, got \[\]/);
    }
  });

  it('distances of long texts are exact', () => {
    const [before, common] = ['x'.repeat(50), 'abcd'.repeat(25)];
    const metric = new EditDistance();
    expect(metric.forward(before + common, common + 'y'.repeat(50)).item()).to.equal(100);
    expect(new CharErrorRate().forward('\u{1f600}\u{1f601}', '\u{1f600}b').item()).to.equal(0.5);
  });

  it('BLEU refuses weights that are not one for each length', () => {
    expect(said(() => new BLEUScore({ weights: [0.5, 0.5] }))).to.match(
      /weights must be nGram numbers, 4, got \[0.5, 0.5\]/,
    );
    expect(said(() => new BLEUScore({ nGram: 0 }))).to.match(/nGram must be a whole number above 0/);
  });

  it('BLEU with and without smoothing count once in a collection', () => {
    const scores = new MetricCollection<Parameters<BLEUScore['update']>>({
      plain: new BLEUScore({ nGram: 2 }),
      smooth: new BLEUScore({ nGram: 2, smooth: true }),
    });
    scores.update(['a b c'], [['a b d']]);
    const { plain, smooth } = scores.compute();
    expect(plain!.item()).to.be.closeTo(Math.sqrt((2 / 3) * (1 / 2)), 1e-12);
    expect(smooth!.item()).to.be.closeTo(Math.sqrt((2 / 3) * (2 / 3)), 1e-12);
  });

  it('ROUGE has no stemmer, and takes the words that a tokenizer gives', () => {
    expect(said(() => new ROUGEScore({ useStemmer: true }))).to.match(
      /there is no stemmer .* a tokenizer may give stems/,
    );
    expect(new ROUGEScore({ useStemmer: false }).higherIsBetter).to.equal(true);
    expect(said(() => new ROUGEScore({ rougeKeys: 'rouge0' as never }))).to.match(/rougeKeys must be 'rouge1'/);
    expect(said(() => new ROUGEScore({ rougeKeys: [] }))).to.match(/or an array of one or more of them, got \[\]/);
    const wrong = new ROUGEScore({ tokenizer: (() => 'a') as never });
    expect(said(() => wrong.update('a', 'a'))).to.match(/tokenizer must give an array of strings, got 'a'/);
    const keys = Object.keys(new ROUGEScore({ rougeKeys: ['rougeL', 'rougeL'] }).forward('a b', 'a'));
    expect(keys).to.deep.equal(['rougeL_fmeasure', 'rougeL_precision', 'rougeL_recall']);
  });

  it('Perplexity refuses a wrong batch, and counts nothing of it', () => {
    const metric = new Perplexity({ ignoreIndex: -100 });
    const tokens = (...values: number[]) => tensor([values], { dtype: 'int64' });
    metric.update(zeros([1, 2, 4]), tokens(0, 3));
    const wrong: [Parameters<Perplexity['update']>, RegExp][] = [
      [[zeros([2, 4]), tokens(0, 3)], /logits of shape \[batch, sequence, vocabulary\], got float32\[2, 4\]/],
      [[zeros([1, 2, 4], { dtype: 'int64' }), tokens(0, 3)], /floating-point logits/],
      [[zeros([1, 2, 4]), tokens(0, 3, 1)], /int64 \[1, 2\], a token for each place, got int64\[1, 3\]/],
      [[zeros([1, 2, 4]), ones([1, 2])], /int64 \[1, 2\].*got float32/],
      [[zeros([1, 2, 4]), tokens(0, 4)], /tokens from 0 to 3 or -100, got 4/],
      [[zeros([1, 2, 4]), tokens(-1, 0)], /tokens from 0 to 3 or -100, got -1/],
    ];
    for (const [batch, message] of wrong) expect(said(() => metric.update(...batch))).to.match(message);
    expect(said(() => new Perplexity().update(zeros([1, 1, 2]), tokens(-100)))).to.match(/ignoreIndex leaves one out/);
    expect(metric.compute().item()).to.be.closeTo(4, 1e-6);
    expect(metric.updateCount).to.equal(1);
  });

  it('Perplexity is finite for a token that was all but ruled out, and right in half precision', () => {
    const surprise = new Perplexity().forward(
      tensor([[[0, 300]]], { dtype: 'float32' }),
      tensor([[0]], { dtype: 'int64' }),
    );
    expect(Math.log(surprise.item())).to.be.closeTo(300, 1e-9);
    const even = new Perplexity().forward(zeros([1, 1, 3000], { dtype: 'float16' }), tensor([[5]], { dtype: 'int64' }));
    expect(even.item()).to.be.closeTo(3000, 1e-2);
  });
});
