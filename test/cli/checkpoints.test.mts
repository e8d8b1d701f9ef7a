import { existsSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { readManifest } from '#lib/core/checkpoints/manifest.js';
import { RunLock } from '#lib/core/runs/runLock.js';

import { run, temporaryFolder } from '../support/project.mjs';
import { onlyRun } from '../support/runFolder.mjs';

describe('aiforge checkpoints', () => {
  const folder = temporaryFolder('cli-checkpoints');
  const faulty = path.resolve('test/cli/fixtures/experiments/faulty.yaml');
  const settings = ['training.checkpoint.everySteps=5', 'training.checkpoint.keep=9', 'training.checkpoint.topK=2'];
  const checkpoints = (...args: string[]) => run('aiforge', ['checkpoints', ...args], folder);
  let directory = '';
  const inside = (name: string) => path.join(directory, name);

  before(async () => {
    const { status, stderr } = await run('aiforge', ['train', faulty, ...settings], folder);
    expect(status, stderr).to.equal(0);
    directory = onlyRun(folder, 'faulty');
  });

  const kept = () => readdirSync(inside('checkpoints')).filter((name) => name.startsWith('step-')).sort(); // prettier-ignore

  it('ls lists each file, with what the manifest knows of it', async () => {
    const { status, stdout, stderr } = await checkpoints('ls', directory);
    expect(status, stderr).to.equal(0);
    const lines = stdout.trim().split('\n');
    expect(lines[0]).to.match(/^file +kind +epoch +step +metric +time +size$/);
    const files = [
      ...readdirSync(directory),
      ...readdirSync(inside('checkpoints')).map((name) => `checkpoints/${name}`),
    ];
    expect(lines.slice(1).map((line) => line.split(' ')[0])).to.have.members(files.filter((name) => name.endsWith('.safetensors'))); // prettier-ignore
    expect(stdout).to.match(/^last\.safetensors +last +3 +33 +\d{4}-/m);
    expect(stdout).to.match(/^best\.safetensors +weights +\d +\d+ +val_loss 0\.\d+ /m);
  });

  it('show prints state, settings and tensors, and all of it as JSON', async () => {
    const { status, stdout, stderr } = await checkpoints('show', directory);
    expect(status, stderr).to.equal(0);
    expect(stdout).to.match(/last\.safetensors: .* KiB, format aiforge-checkpoint-4/);
    expect(stdout)
      .to.match(/^ {2}step: 33$/m)
      .and.to.match(/^ {2}training\.epochs: 3$/m);
    expect(stdout)
      .to.match(/^model: 9 tensors/m)
      .and.to.match(/model\.head\.weight +float32 +\[2, 8\] +64 bytes/);
    expect(stdout).not.to.include('training.seed');
    const json = JSON.parse((await checkpoints('show', inside('best.safetensors'), '--json')).stdout) as object;
    expect(json).to.have.nested.property('state.epoch');
    expect(json).to.have.nested.property('parts[0].tensors[0].shape');
  });

  it('diff tells equal bytes from the largest difference', async () => {
    const same = await checkpoints('diff', directory, inside('last.safetensors'));
    expect(same.stdout).to.match(
      /configuration: the same\nstate: the same\ntensors:\n {2}all \d+ tensors have equal bytes/,
    );
    expect(same.status).to.equal(0);
    const other = await checkpoints('diff', inside(`checkpoints/${kept()[0]!}`), directory);
    expect(other.status).to.equal(1);
    expect(other.stdout).to.match(/ {2}step: 5 → 33\n/);
    expect(other.stdout).to.match(/model\.head\.weight +largest difference \d/);
    expect(other.stdout).to.match(/ {2}\d+ of \d+ tensors have equal bytes/);
    const alone = await checkpoints('diff', inside('best.safetensors'), inside('best.safetensors'));
    expect(alone.stdout).to.match(/^configuration: none in either\nstate: the same\n/);
    const weights = await checkpoints('diff', directory, inside('best.safetensors'));
    expect(weights.stdout).to.match(/rng\.0 +only in the first/);
  });

  it('prune refuses a run that is under way, says what it would do, and then does it', async () => {
    const before = kept();
    const last = readFileSync(inside('last.safetensors'));
    const best = readFileSync(inside('best-checkpoint.safetensors'));
    const lock = RunLock.acquire(directory);
    const held = await checkpoints('prune', directory, '--keep', '2');
    lock.release();
    expect(held.status).to.equal(1);
    expect(held.stderr).to.include('being worked on by process');
    const dry = await checkpoints('prune', directory, '--keep', '2', '--dry-run');
    expect(dry.stdout.match(/Would remove checkpoints\/step-/g)).to.have.length(before.length - 2);
    expect(kept()).to.deep.equal(before);
    const done = await checkpoints('prune', directory, '--keep', '2');
    expect(done.status, done.stderr).to.equal(0);
    expect(kept()).to.deep.equal(before.slice(-2));
    expect(Object.keys(readManifest(inside('manifest.json'))).filter((name) => name.includes('step-'))).to.have.length(
      2,
    );
    const none = await checkpoints('prune', directory, '--keep', '0');
    expect(none.status, none.stderr).to.equal(0);
    expect(kept()).to.deep.equal([]);
    expect(last.equals(readFileSync(inside('last.safetensors')))).to.equal(true);
    expect(best.equals(readFileSync(inside('best-checkpoint.safetensors')))).to.equal(true);
    expect(existsSync(inside('best.safetensors'))).to.equal(true);
    expect((await checkpoints('prune', directory, '--keep', '0')).stdout).to.equal('There is nothing to remove.\n');
    const again = await run('aiforge', ['train', '--resume', directory, 'training.epochs=4'], folder);
    expect(again.status, again.stderr).to.equal(0);
  });

  it('ls --verify reads every byte', async () => {
    expect((await checkpoints('ls', directory, '--verify')).status).to.equal(0);
    truncateSync(inside('best.safetensors'), 600);
    const { status, stdout } = await checkpoints('ls', directory, '--verify');
    expect(status).to.equal(1);
    expect(stdout)
      .to.match(/^best\.safetensors .*damaged$/m)
      .and.to.match(/^last\.safetensors .*right$/m);
  });

  it('says what to give', async () => {
    for (const [args, message] of [
      [['ls', '/nowhere'], /FILE_NOT_FOUND there is no folder '\/nowhere'\. Give the folder of a run/],
      [['ls', folder], /is no run's folder: it has no config\.yaml/],
      [['show', '/nowhere'], /there is no \/nowhere\. Give a checkpoint/],
      [['prune', directory, '--keep', 'few'], /--keep is 'few'; expected a whole number/],
      [['prune', directory], /required option '--keep <n>' not specified/],
    ] as const) {
      const { status, stderr } = await checkpoints(...args);
      expect(status).to.equal(1);
      expect(stderr).to.match(message);
    }
  });
});
