import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { loadRun, tensor, type Tensor } from 'aiforge';
import { expect } from 'chai';

import { csvRows, items, notesRun, rowsOf } from '../support/notesRun.mjs';
import { finished, run, start } from '../support/project.mjs';

describe('aiforge predict', function () {
  this.timeout(120_000);
  const { folder, directory, inside, write, predict } = notesRun('predict');
  const columns = { ANSWERS: 'columns' };
  /** Waits until something of an output is written. */
  const grown = async (output: string): Promise<void> => {
    const name = path.basename(output);
    const isGrowing = (file: string) => file.startsWith(`.${name}.`) && readFileSync(inside(file)).length > 0;
    while (!readdirSync(folder).some(isGrowing)) await sleep(20);
  };

  it('writes what loadRun predicts, a row an item in the order of the input', async () => {
    const output = inside('all.jsonl');
    const { status, stdout, stderr } = await predict(['--input', write('in.jsonl', items), '--output', output]);
    expect(status, stderr).to.equal(0);
    expect(stdout).to.equal(`21 rows in ${output}\n`);
    const expected = loadRun<object, Tensor>(directory()).predict(items).tolist<number[][]>();
    const found = rowsOf(output).map(({ prediction }) => prediction as number[]);
    expect(found).to.have.length(21);
    found.forEach((row, i) => row.forEach((value, j) => expect(value).to.be.closeTo(expected[i]![j]!, 1e-6)));
    expect(existsSync(`${output}.partial`)).to.equal(false);
    const single = inside('last.jsonl');
    await predict(['--input', inside('in.jsonl'), '--output', single, '--batch-size', '100', '--weights', 'last.safetensors']); // prettier-ignore
    expect(rowsOf(single)).to.have.length(21);
  });

  it('writes columns as CSV, with texts in quotes where they need them, and classes by name', async () => {
    const texts = ['plain', 'a, b', 'say "so"', 'two\nlines', 'Zeile\u2028danach'];
    const input = write('texts.jsonl', texts.map((text, i) => ({ x: [i, 1], text }))); // prettier-ignore
    const output = inside('texts.csv');
    const { status, stderr } = await predict(['--input', input, '--output', output, '--classify'], columns);
    expect(status, stderr).to.equal(0);
    const rows = csvRows(readFileSync(output, 'utf8'));
    expect(Object.keys(rows[0]!)).to.deep.equal(['logits', 'text', 'length', 'first', 'label', 'probability']);
    expect(rows.map(({ text }) => text)).to.deep.equal(texts);
    expect(rows.map(({ length, first }) => [Number(length), Number(first)])).to.deep.equal(texts.map((text, i) => [text.length, i])); // prettier-ignore
    for (const { logits, label, probability } of rows) {
      const values = JSON.parse(logits!) as [number, number];
      expect(label).to.equal(values[1] > values[0] ? 'long' : 'short, or not');
      expect(Number(probability)).to.be.closeTo(Math.max(...tensor(values).softmax(0).tolist<number[]>()), 1e-6);
    }
  });

  it('predicts for a split, with the index of each item', async () => {
    const output = inside('split.csv');
    const { status, stderr } = await predict(['--split', 'test', '--output', output], columns);
    expect(status, stderr).to.equal(0);
    const [header, ...lines] = readFileSync(output, 'utf8').trimEnd().split('\n');
    expect(header).to.equal('index,logits,text,length,first');
    expect(lines).to.have.length(6);
    for (const line of lines) expect(line).to.match(/^(\d+),".*",item \1,/);
  });

  it('writes NaN and infinities as they are', async () => {
    const input = write('large.jsonl', ['{"x":[1e39,0],"text":""}', '{"x":[1,0],"text":""}']);
    await predict(['--input', input, '--output', inside('large.jsonl.jsonl')], columns);
    const [row] = rowsOf(inside('large.jsonl.jsonl'));
    expect(row!.first).to.equal('Infinity');
  });

  it('ends at a line that is refused, names it, and keeps what is complete', async () => {
    const lines = [...items.slice(0, 10), { x: 'no', text: '' }, ...items.slice(10)];
    const input = write('bad.jsonl', lines);
    const output = inside('bad.csv');
    writeFileSync(output, 'as it was\n');
    const { status, stdout, stderr } = await predict(['--input', input, '--output', output, '--batch-size', '4']);
    expect(status).to.equal(1);
    expect(stdout).to.equal('');
    expect(stderr).to.match(/^Not all is predicted: 8 rows are in .*bad\.csv\.partial\n/);
    expect(stderr).to.match(/PLUGIN_INVALID The preprocessor cannot transform line 11: x is no array\./);
    expect(readFileSync(`${output}.partial`, 'utf8').trimEnd().split('\n')).to.have.length(9);
    expect(readFileSync(output, 'utf8')).to.equal('as it was\n');
    for (const [text, said] of [
      ['{"x":', /FILE_INVALID Line 2 of .*broken\.jsonl is no JSON: /],
      ['', /FILE_INVALID Line 2 of .*broken\.jsonl is no JSON: it is empty/],
    ] as const) {
      const broken = write('broken.jsonl', [items[0], text, items[1]]);
      const result = await predict(['--input', broken, '--output', inside('broken.csv'), '--batch-size', '1']);
      expect(result.status).to.equal(1);
      expect(result.stderr).to.match(said);
    }
    // Nothing is left where nothing was predicted.
    await predict(['--input', write('first.jsonl', ['{']), '--output', inside('first.csv')]);
    expect(readdirSync(folder).filter((name) => name.startsWith('first.csv'))).to.deep.equal([]);
  });

  it('goes on with --skip-errors, and counts what has none', async () => {
    const input = write('mixed.jsonl', ['nonsense', { x: 1 }, items[1], 'null', items[2]]);
    for (const [name, read] of [
      ['mixed.csv', () => readFileSync(inside('mixed.csv'), 'utf8').trimEnd().split('\n').slice(1).map((line) => line.startsWith('"['))], // prettier-ignore
      ['mixed2.jsonl', () => rowsOf(inside('mixed2.jsonl')).map((row) => !('error' in row))],
    ] as const) {
      for (const size of ['1', '3']) {
        const { status, stdout, stderr } = await predict(['--input', input, '--output', inside(name), '--skip-errors', '--batch-size', size]); // prettier-ignore
        expect(status, stderr).to.equal(0);
        expect(stdout).to.include('5 rows in ').and.include('; 3 of them have an error in place of a prediction');
        expect(read()).to.deep.equal([false, false, true, false, true]);
      }
    }
    expect(readFileSync(inside('mixed.csv'), 'utf8')).to.match(/^prediction,error\n,"?Line 1 of .*is no JSON/);
    const hopeless = write('hopeless.jsonl', ['1', '2']);
    const ended = await predict(['--input', hopeless, '--output', inside('none.csv'), '--skip-errors']);
    expect([ended.status, ended.stderr]).to.deep.equal([1, 'No item has a prediction: see the errors in the file\n']);
    expect(readFileSync(inside('none.csv'), 'utf8')).to.match(/^error\n.*line 1.*\n.*line 2/);
  });

  it('tries the items of a batch with which the model fails alone with --skip-errors', async () => {
    const input = write('fussy.jsonl', items.slice(0, 6));
    const args = ['--input', input, '--output', inside('fussy.jsonl.jsonl'), '--batch-size', '4'];
    const fussy = { ANSWERS: 'fussy' };
    const ended = await predict(args, fussy);
    expect(ended.status).to.equal(1);
    expect(ended.stderr).to.match(/PLUGIN_INVALID There is no prediction for lines 1 to 4: note 3 is too long/);
    for (const size of ['4', '1']) {
      const { status, stdout, stderr } = await predict([...args.slice(0, -1), size, '--skip-errors'], fussy);
      expect(status, stderr).to.equal(0);
      expect(stdout).to.include('6 rows in ').and.include('; 1 of them have an error');
      const rows = rowsOf(inside('fussy.jsonl.jsonl'));
      expect(rows.map((row) => 'prediction' in row)).to.deep.equal([true, true, true, false, true, true]);
      expect(rows[3]!.error).to.equal('There is no prediction for line 4: note 3 is too long');
    }
  });

  it('takes what squeeze() leaves of a single item, and hints at it', async () => {
    const [input, output] = [write('nine.jsonl', items.slice(0, 9)), inside('nine.jsonl.jsonl')];
    const { status, stderr } = await predict(['--input', input, '--output', output, '--batch-size', '4'], { ANSWERS: 'squeezed' }); // prettier-ignore
    expect(status, stderr).to.equal(0);
    expect(rowsOf(output).every(({ prediction }) => typeof prediction === 'number')).to.equal(true);
  });

  it('hears signals while it tries the items of a batch one by one', async () => {
    const input = write('slow.jsonl', Array.from({ length: 500 }, (_, i) => ({ x: [i, 1], text: i === 499 ? 'note 3' : '' }))); // prettier-ignore
    const output = inside('slow.jsonl.jsonl');
    const args = ['predict', directory(), '--input', input, '--output', output, '--batch-size', '500', '--skip-errors'];
    const child = start('aiforge', args, folder, { ANSWERS: 'fussy', PREDICT_MS: '20' });
    const end = finished(child);
    await grown(output);
    child.kill('SIGINT');
    expect((await end).status).to.equal(130);
    expect(rowsOf(`${output}.partial`)).to.have.length.below(500);
  });

  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`keeps what is complete after ${signal}`, async () => {
      const input = write(
        'long.jsonl',
        Array.from({ length: 4000 }, (_, i) => items[i % 21]),
      );
      const output = inside(`${signal}.jsonl`);
      const args = ['predict', directory(), '--input', input, '--output', output, '--batch-size', '2'];
      const child = start('aiforge', args, folder, { PREDICT_MS: '20' });
      const end = finished(child);
      await grown(output);
      child.kill(signal);
      const result = await end;
      expect(result.status, result.stderr).to.equal(status);
      const rows = rowsOf(`${output}.partial`);
      expect(result.stderr).to.include(`Not all is predicted: ${rows.length} rows are in ${output}.partial`);
      expect(rows.length).to.be.greaterThan(0).and.below(4000);
      expect(rows.length % 2).to.equal(0);
      expect(existsSync(output)).to.equal(false);
    });
  }

  it('takes the weights by which the run is named', async () => {
    const input = write('named.jsonl', items);
    const written = async (...args: string[]): Promise<unknown> => {
      const output = inside('named-out.jsonl');
      const { status, stderr } = await run(
        'aiforge',
        ['predict', ...args, '--input', input, '--output', output],
        folder,
      );
      expect(status, stderr).to.equal(0);
      return rowsOf(output);
    };
    expect(await written(path.join(directory(), 'last.safetensors'))).to.have.length(21);
    const other = path.join(directory(), 'other.safetensors');
    writeFileSync(other, 'damaged');
    for (const [args, said] of [
      [[other], /^FILE_INVALID .*other\.safetensors/],
      [[other, '--weights', 'best.safetensors'], /are not the same weights/],
      [[path.join(directory(), 'config.yaml')], /config\.yaml' is a file, which is no run/],
    ] as const) {
      const { status, stderr } = await run('aiforge', ['predict', ...args, '--input', input, '--output', inside('refused.jsonl')], folder); // prettier-ignore
      expect(status).to.equal(1);
      expect(stderr).to.match(said);
    }
    rmSync(other);
  });

  it('refuses before it writes anything', async () => {
    const input = write('small.jsonl', items.slice(0, 2));
    const output = inside('refused.csv');
    const given = ['--input', input, '--output', output];
    for (const [args, said] of [
      [['--input', input], /^INVALID_ARGUMENT aiforge predict: it needs --output/],
      [['--output', output], /either --input with a file or --split, got neither/],
      [[...given, '--split', 'val'], /got both/],
      [['--split', 'tset', '--output', output], /Allowed choices are train, val, test, all/],
      [['--input', input, '--output', inside('refused.txt')], /must end in \.jsonl, \.csv or \.parquet\./],
      [['--input', inside('nothing.jsonl'), '--output', output], /^FILE_NOT_FOUND --input: There is no file/],
      [['--input', folder, '--output', output], /^FILE_NOT_FOUND --input: No file, but a folder/],
      [['--input', input, '--output', input], /are both/],
      [[...given, '--batch-size', '0'], /must be a whole number, at least 1/],
      [[...given, 'dataPath=./other'], /dataPath was .* cannot become/],
      [[...given, '--weights', 'none.safetensors'], /^FILE_NOT_FOUND There are no weights/],
      [[...given, '--classfy'], /Did you mean --classify\?/],
    ] as const) {
      const { status, stderr } = await predict([...args]);
      expect(status, args.join(' ')).to.equal(1);
      expect(stderr).to.match(said);
    }
    const launched = await run('aiforge', ['predict', directory(), ...given], folder, { RANK: '0', WORLD_SIZE: '2' });
    expect(launched.stderr).to.include('Predictions are made in one process');
    expect(readdirSync(folder).filter((name) => name.startsWith('refused'))).to.deep.equal([]);
    const clash = await predict([...given, '--classify'], { ANSWERS: 'label' });
    expect(clash.status).to.equal(1);
    expect(clash.stderr).to.include("PLUGIN_INVALID predictStep gave 'label', which is a column of this command's own");
    expect(readdirSync(folder).filter((name) => name.startsWith('refused'))).to.deep.equal([]);
  });
});
