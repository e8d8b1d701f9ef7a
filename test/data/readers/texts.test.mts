import { AiforgeError, data } from 'aiforge';
import { expect } from 'chai';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

import { itemsFrom, itemsLeft, refusedWith, temporaryFiles } from './tables.mjs';

describe('TextReader', () => {
  const file = temporaryFiles('text');

  it('gives lines, from every position, of several files and gzip', async () => {
    const files = [file('\ufeffone\r\n\ntwo\n'), file(''), file(gzipSync('é\nend'), 'x.gz'), file('\n')];
    const reader = new data.TextReader(files);
    expect(await itemsFrom(reader)).to.deep.equal(['one', '', 'two', 'é', 'end', '']);
    await itemsLeft(reader, (line) => line);
    expect(reader.parts()).to.have.length(4);
    const long = ['x'.repeat(300_000), 'y'.repeat(131_071), 'z'.repeat(131_072), ''];
    expect(await itemsFrom(new data.TextReader(file(long.join('\n'))))).to.deep.equal(long.slice(0, 3));
  });

  it('says where what is wrong stands', async () => {
    await refusedWith(
      itemsFrom(new data.TextReader(file(Buffer.from('a\n\xff\n', 'latin1')))),
      'FILE_INVALID',
      /line 2: the line is not UTF-8/,
    );
    await refusedWith(itemsFrom(new data.TextReader('/nowhere')), 'FILE_NOT_FOUND', /There is no file/);
    await refusedWith(
      itemsFrom(new data.TextReader(file('ab\n')), { file: 0, byte: 9, line: 2 }),
      'FILE_INVALID',
      /ends at byte 3, before the position/,
    );
    expect(() => new data.TextReader('x').open({ file: 2 })).to.throw(AiforgeError, /no position in 1 files/);
  });
});

describe('TextFolder', () => {
  let root: string;
  beforeEach(() => void (root = mkdtempSync(path.join(tmpdir(), 'aiforge-folder-'))));
  afterEach(() => rmSync(root, { recursive: true }));

  const write = (name: string, content: string | Buffer): void => {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), content);
  };

  it('labels texts by their folders', () => {
    for (const name of ['spam/2.txt', 'spam/10.TXT', 'ham/more/1.txt', 'ham/notes.md', 'readme.txt']) write(name, name);
    const mails = new data.TextFolder(root);
    expect(mails.classes).to.deep.equal(['ham', 'spam']);
    expect(mails.targets).to.deep.equal([0, 1, 1]);
    expect([mails.get(0), mails.get(1), mails.get(2)]).to.deep.equal([
      ['ham/more/1.txt', 0],
      ['spam/10.TXT', 1],
      ['spam/2.txt', 1],
    ]);
    const [batch] = new data.DataLoader(mails, { batchSize: 3 });
    expect([batch![0], (batch![1] as unknown as { tolist(): number[] }).tolist()]).to.deep.equal([
      ['ham/more/1.txt', 'spam/10.TXT', 'spam/2.txt'],
      [0, 1, 1],
    ]);
    expect(new data.TextFolder(root, { extensions: ['.md', '.txt'] }).length).to.equal(4);
  });

  it('refuses folders without classes or samples, texts in other encodings, and links in circles', () => {
    const refused = (attempt: () => unknown, code: string, message: RegExp): void => {
      expect(attempt).to.throw(AiforgeError, message).with.property('code', code);
    };
    refused(() => new data.TextFolder('/nowhere'), 'FILE_NOT_FOUND', /cannot be read/);
    refused(() => new data.TextFolder(root), 'FILE_NOT_FOUND', /has no subfolders/);
    write('a/1.txt', Buffer.of(0xff));
    mkdirSync(path.join(root, 'b'));
    refused(() => new data.TextFolder(root), 'FILE_NOT_FOUND', /b has no file whose name ends in \.txt/);
    const texts = new data.TextFolder(root, { allowEmpty: true });
    refused(() => texts.get(0), 'FILE_INVALID', /1\.txt: it is not UTF-8/);
    refused(() => texts.get(1), 'INVALID_ARGUMENT', /index 1 is outside/);
    symlinkSync(root, path.join(root, 'b', 'up'));
    refused(
      () => new data.TextFolder(root, { allowEmpty: true }),
      'FILE_INVALID',
      /is a link to a folder that it lies in/,
    );
  });
});
