import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { ShardedDataset } from '#lib/data/index.js';
import type { Tensor } from '#lib/tensor/index.js';
import { run, temporaryFolder, writeFiles } from '../support/project.mjs';

describe('aiforge data', function () {
  this.timeout(60_000);
  const folder = temporaryFolder('cli-data');
  const inside = (...parts: string[]) => path.join(folder, ...parts);
  /** Arguments with a slash before them are paths in the folder. */
  const data = (...args: string[]) =>
    run('aiforge', ['data', ...args.map((arg) => (arg.startsWith('/') ? inside(arg.slice(1)) : arg))], folder);

  before(() => {
    const rows = Array.from({ length: 10 }, (_, i) => `${i},${i / 2},city ${i}`);
    writeFiles(folder, {
      'table.csv': ['id,share,city', ...rows].join('\n'),
      'texts/good/a.txt': 'fine',
      'texts/bad/b.txt': 'poor',
      'more.jsonl': '{"id": 1}\n',
    });
  });

  it('packs a table, lists it, and finds nothing wrong', async () => {
    const packed = await data('pack', '/shards', '/table.csv', '--shard-samples', '4');
    expect(packed.status, packed.stderr).to.equal(0);
    expect(packed.stdout).to.equal(
      `10 samples are in ${inside('shards')}: new data.ShardedDataset('${inside('shards')}')\n`,
    );
    const dataset = new ShardedDataset(inside('shards'));
    const { id, share, city } = dataset.get(7);
    expect([(id as Tensor).item(), (share as Tensor).item(), city]).to.deep.equal([7, 3.5, 'city 7']);
    const listed = await data('ls', '/shards');
    expect(listed.stdout).to.match(
      /^file +samples +size\n000000\.safetensors +4 .*\n000001\.safetensors +4 .*\n000002\.safetensors +2 /,
    );
    expect(listed.stdout).to.include(
      '10 samples in 3 shards. A sample has:\n  id: int64[]\n  share: float64[]\n  city: a string\n',
    );
    const verified = await data('verify', '/shards');
    expect([verified.status, verified.stdout.match(/right/g)?.length]).to.deep.equal([0, 3]);
  });

  it('says what is damaged, with status 1', async () => {
    const shard = inside('shards', '000001.safetensors');
    const bytes = readFileSync(shard);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(shard, bytes);
    const { status, stdout } = await data('verify', '/shards');
    expect(status).to.equal(1);
    expect(stdout).to.match(/000001\.safetensors +4 +its content is not what was written/);
  });

  it('does not go on with sources that have fewer samples than there are', async () => {
    const index = inside('shards', 'index.json');
    writeFileSync(index, readFileSync(index, 'utf8').replace('"complete": true', '"complete": false'));
    const { status, stderr } = await data('pack', '/shards', '/more.jsonl', '--resume');
    expect([status, stderr]).to.satisfy(() => status === 1 && /have 1 samples, fewer than the 10 in the whole shards/.test(stderr)); // prettier-ignore
    expect(JSON.parse(readFileSync(index, 'utf8'))).to.include({ complete: false });
  });

  it('packs a folder of classes, and refuses what it cannot read', async () => {
    expect((await data('pack', '/classes', '/texts')).status).to.equal(0);
    const { text, label } = new ShardedDataset(inside('classes')).get(0);
    expect([text, (label as Tensor).item()]).to.deep.equal(['poor', 0]);
    const refusals: [args: string[], message: RegExp][] = [
      [['pack', '/new', '/table.csv', '/more.jsonl'], /there is no reader for table.csv, more.jsonl together/],
      [['pack', '/classes', '/texts'], /is complete|has shards already/],
      [
        ['pack', '/new', '/table.csv', '--shard-samples', '0'],
        /--shard-samples: got '0', expected a whole number above 0/,
      ],
      [['ls', '/nowhere'], /There are no shards in .*nowhere/],
    ];
    for (const [args, message] of refusals) {
      const { status, stderr } = await data(...args);
      expect([status !== 0, stderr]).to.deep.equal([true, stderr.match(message) === null ? message.source : stderr]);
    }
  });
});
