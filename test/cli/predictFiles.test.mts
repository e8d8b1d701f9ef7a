import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { csvRows, items, notesRun, rowsOf } from '../support/notesRun.mjs';
import { reference } from '../support/reference.mjs';

describe('the files of aiforge predict', function () {
  this.timeout(120_000);
  const { folder, directory, inside, write, predict } = notesRun('predict-files');
  const columns = { ANSWERS: 'columns' };

  it('writes Parquet that pyarrow reads: tensors as lists of their dtype, numbers, texts', async function () {
    const parts = { ANSWERS: 'parts' };
    const [file, lines] = [inside('parts.parquet'), inside('parts.jsonl')];
    const input = write('wide.jsonl', ['nonsense', ...items, '{"x":[1e39,0],"text":"far"}', { x: 1 }]);
    for (const output of [file, lines]) {
      const { status, stderr } = await predict(['--input', input, '--output', output, '--skip-errors', '--batch-size', '2'], parts); // prettier-ignore
      expect(status, stderr).to.equal(0);
    }
    const read = JSON.parse(reference(this, 'read_parquet.py', file)) as {
      types: Record<string, string>;
      rows: Record<string, string>[];
    };
    expect(read.types).to.deep.equal({
      error: 'string',
      logits: 'list<element: float not null>',
      grid: 'list<element: list<element: float not null> not null>',
      classes: 'int64',
      flags: 'bool',
      text: 'string',
      some: 'string',
    });
    const expected = rowsOf(lines);
    expect(read.rows).to.have.length(24);
    for (const [i, row] of expected.entries()) {
      const { logits, grid, classes, flags, text, some, error } = read.rows[i]!;
      if ('error' in row) {
        expect([logits, text, error === 'None']).to.deep.equal(['None', 'None', false]);
        continue;
      }
      const numbers = (given: string) => given.match(/-?(inf|nan|[\d.e-]+)/g)!.map((each) => (/inf|nan/.test(each) ? each : Number(each))); // prettier-ignore
      const plain = (row.logits as unknown[]).map((each) => (typeof each === 'number' ? each : String(each).toLowerCase().replace('infinity', 'inf'))); // prettier-ignore
      expect(numbers(logits!)).to.deep.equal(plain);
      expect(grid).to.equal(`[${logits}]`);
      expect([classes, flags, text, some, error]).to.deep.equal([String(row.classes), row.flags === true ? 'True' : 'False', `'${row.text as string}'`, `'${JSON.stringify(row.some)}'`, 'None']); // prettier-ignore
    }
  });

  it('keeps a Parquet file that can be read where it ends before all is predicted', async function () {
    const output = inside('partly.parquet');
    const input = write('partly.jsonl', [...items.slice(0, 10), { x: 'no', text: '' }]);
    const { status, stderr } = await predict(['--input', input, '--output', output, '--batch-size', '4']);
    expect(status).to.equal(1);
    expect(stderr).to.match(/^Not all is predicted: 8 rows are in .*partly\.parquet\.partial\n/);
    const read = JSON.parse(reference(this, 'read_parquet.py', `${output}.partial`)) as { rows: unknown[] };
    expect(read.rows).to.have.length(8);
  });

  for (const [answers, said] of [
    ['changing', /gave tensors of float64 with 0 dimensions an item as 'value' for some items and tensors of float32/],
    [
      'kinds',
      /gave numbers as 'value' for some items and tensors of float32 with 0 dimensions an item for those before/,
    ],
  ] as const) {
    it(`rounds nothing to the type of a Parquet column (${answers}), and keeps the rows before`, async function () {
      const output = inside(`${answers}.parquet`);
      const input = write('changing.jsonl', items);
      const { status, stderr } = await predict(['--input', input, '--output', output, '--batch-size', '4'], { ANSWERS: answers }); // prettier-ignore
      expect(status).to.equal(1);
      expect(stderr)
        .to.match(/^Not all is predicted: 8 rows are in /)
        .and.match(said);
      const { rows } = JSON.parse(reference(this, 'read_parquet.py', `${output}.partial`)) as { rows: { value: string }[] }; // prettier-ignore
      expect(rows.map(({ value }) => Number(value))).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7]);
    });
  }

  it('writes a column of any name', async () => {
    const input = write('proto.jsonl', items.slice(0, 3));
    for (const [name, said] of [
      ['proto.jsonl.jsonl', '{"__proto__":"note 0","list":"note 0"}\n'],
      ['proto.csv', '__proto__,list\nnote 0,note 0\n'],
      ['proto.parquet', 'PAR1'],
    ] as const) {
      const { status, stderr } = await predict(['--input', input, '--output', inside(name)], { ANSWERS: 'proto' });
      expect(status, stderr).to.equal(0);
      expect(readFileSync(inside(name), 'utf8').startsWith(said), name).to.equal(true);
    }
  });

  it('writes a line of CSV for each item, also where its only cell is empty', async () => {
    const output = inside('blank.csv');
    const { status, stderr } = await predict(['--input', write('blank.jsonl', items.slice(0, 4)), '--output', output], { ANSWERS: 'blank' }); // prettier-ignore
    expect(status, stderr).to.equal(0);
    expect(readFileSync(output, 'utf8')).to.equal('prediction\nnote 0\n""\nnote 2\n""\n');
  });

  it('keeps the sign of zero in Parquet', async function () {
    const output = inside('zeros.parquet');
    const { status, stderr } = await predict(['--input', write('zeros.jsonl', items.slice(0, 4)), '--output', output], { ANSWERS: 'zeros' }); // prettier-ignore
    expect(status, stderr).to.equal(0);
    const { rows } = JSON.parse(reference(this, 'read_parquet.py', output)) as { rows: { value: string }[] };
    expect(rows.map(({ value }) => value)).to.deep.equal(['0.0', '-0.0', '0.0', '-0.0']);
  });

  it('says what was wrong, and where the rows are, where FILE.partial is a folder or FILE a link', async () => {
    mkdirSync(inside('taken.jsonl.partial'));
    mkdirSync(inside('elsewhere'));
    symlinkSync(inside('elsewhere/target.jsonl'), inside('dangling.jsonl'));
    const input = write('broken-later.jsonl', [...items.slice(0, 8), '{']);
    for (const [name, kept] of [
      ['taken.jsonl', /8 rows are in (\S+\/\.taken\.jsonl\.[\w-]+\.tmp)\n/],
      ['dangling.jsonl', /8 rows are in (\S+elsewhere\/target\.jsonl\.partial)\n/],
    ] as const) {
      const { status, stderr } = await predict(['--input', input, '--output', inside(name), '--batch-size', '4']);
      expect(status).to.equal(1);
      expect(stderr).to.match(/FILE_INVALID Line 9 of .* is no JSON/);
      const [, file] = kept.exec(stderr)!;
      expect(rowsOf(file!)).to.have.length(8);
    }
    const { status, stderr } = await predict(['--input', write('fine.jsonl', items.slice(0, 2)), '--output', inside('dangling.jsonl')]); // prettier-ignore
    expect(status, stderr).to.equal(0);
    expect(rowsOf(inside('elsewhere/target.jsonl'))).to.have.length(2);
    expect(lstatSync(inside('dangling.jsonl')).isSymbolicLink()).to.equal(true);
  });

  it('keeps whole rows where the file cannot grow', () => {
    const [input, output] = [write('growing.jsonl', items), inside('full.jsonl')];
    const command = [path.resolve('dist/lib/cli/aiforge.js'), 'predict', directory(), '--input', input, '--output', output, '--batch-size', '2']; // prettier-ignore
    const env = { ...process.env, OMP_NUM_THREADS: '1', LOG_LEVEL: 'silent', NO_COLOR: '1' };
    const { status, stderr } = spawnSync('prlimit', ['--fsize=700', process.execPath, ...command], { cwd: folder, env, encoding: 'utf8' }); // prettier-ignore
    expect(status).to.equal(1);
    const [, rows] = /Not all is predicted: (\d+) rows are in \S+full\.jsonl\.partial\n/.exec(stderr) ?? [];
    expect(stderr).to.include('FILE_NOT_WRITABLE');
    expect(rowsOf(`${output}.partial`))
      .to.have.length(Number(rows))
      .and.above(2);
  });

  it('lets two at once write one file, of which one is whole in the end', async () => {
    const output = inside('both.csv');
    const texts = ['one', 'two'].map((text) => write(`both-${text}.jsonl`, Array.from({ length: 60 }, (_, i) => ({ x: [i, 1], text })))); // prettier-ignore
    const both = await Promise.all(
      texts.map((input) => predict(['--input', input, '--output', output, '--batch-size', '2'], { ...columns, PREDICT_MS: '10' })), // prettier-ignore
    );
    expect(both.map(({ status }) => status)).to.deep.equal([0, 0]);
    const rows = csvRows(readFileSync(output, 'utf8'));
    expect(rows).to.have.length(60);
    expect(new Set(rows.map(({ text }) => text)).size).to.equal(1);
    expect(readdirSync(folder).filter((name) => name.startsWith('both.csv'))).to.deep.equal(['both.csv']);
  });

  it('keeps links, permissions, and what an earlier attempt left', async () => {
    const [target, link] = [inside('target.csv'), inside('link.csv')];
    writeFileSync(target, 'old\n');
    chmodSync(target, 0o600);
    symlinkSync(target, link);
    const input = write('few.jsonl', items.slice(0, 2));
    expect((await predict(['--input', input, '--output', link])).status).to.equal(0);
    expect(readFileSync(target, 'utf8')).to.match(/^prediction\n/);
    expect([statSync(target).mode & 0o777, readdirSync(folder).includes('link.csv')]).to.deep.equal([0o600, true]);
    for (const extension of ['jsonl', 'parquet']) {
      writeFileSync(inside(`earlier.${extension}.partial`), 'earlier');
      await predict(['--input', write('bad-first.jsonl', ['{']), '--output', inside(`earlier.${extension}`)]);
      expect(readFileSync(inside(`earlier.${extension}.partial`), 'utf8')).to.equal('earlier');
    }
  });

  it('writes a Parquet file in row groups', async function () {
    const input = write(
      'many.jsonl',
      Array.from({ length: 25_000 }, (_, i) => ({ x: [i, i % 5], text: '' })),
    );
    const { status, stderr } = await predict([
      '--input',
      input,
      '--output',
      inside('many.parquet'),
      '--batch-size',
      '1000',
    ]);
    expect(status, stderr).to.equal(0);
    const read = JSON.parse(reference(this, 'read_parquet.py', inside('many.parquet'))) as { groups: number; rows: unknown[] }; // prettier-ignore
    expect([read.groups, read.rows.length]).to.deep.equal([3, 25_000]);
    const whole = await predict(['--input', input, '--output', inside('whole.parquet'), '--batch-size', '200000']);
    expect(whole.stdout, whole.stderr).to.include('25,000 rows');
  });
});
