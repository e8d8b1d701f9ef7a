import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { finished, printed, run, start, temporaryFolder } from '../support/project.mjs';
import { metricsOf, runFolders } from '../support/runFolder.mjs';

interface Evaluated {
  directory: string;
  split: string;
  weights: string;
  epoch: number;
  samples: number;
  scores: Record<string, number>;
  confusion: number[][];
  classNames: string[];
}

describe('aiforge validate and test', function () {
  this.timeout(180_000);
  const folder = temporaryFolder('evaluate-cli');
  const settings = [
    `dataPath=${path.join(folder, 'points.safetensors')}`,
    ...['datasetArgs.numSamples=400', 'training.epochs=2', 'training.numThreads=1', 'training.batchSize=16'],
  ];

  async function train(command: 'train' | 'fit', name: string, ranks = 1, ...further: string[]): Promise<string> {
    const args = [command, 'experiments/simple_nn.yaml', `experimentName=${name}`, ...settings, ...further];
    const { status, stderr } = ranks === 1 ? await run('aiforge', args, folder) : await run('aiforge-launch', ['--nproc', String(ranks), ...args], folder); // prettier-ignore
    expect(status, stderr).to.equal(0);
    return runFolders(folder, name)[0]!;
  }

  const scoresIn = (directory: string, prefix: string, interval: string): Record<string, number> => {
    const lines = metricsOf(directory) as { interval?: string; metrics?: Record<string, number> }[];
    const { metrics } = lines.findLast((line) => line.interval === interval)!;
    const entries = Object.entries(metrics!).filter(([name]) => name.startsWith(prefix));
    return Object.fromEntries(entries.map(([name, value]) => [name.slice(prefix.length), value]));
  };

  async function evaluated(args: string[], ranks = 1): Promise<Evaluated> {
    const { status, stdout, stderr } = ranks === 1 ? await run('aiforge', [...args, '--json'], folder) : await run('aiforge-launch', ['--nproc', String(ranks), '--no-prefix', ...args, '--json'], folder); // prettier-ignore
    expect(status, stderr).to.equal(0);
    return JSON.parse(stdout) as Evaluated;
  }

  let one = '';
  before(async () => (one = await train('fit', 'one')));

  it('prints the scores and the table that training printed', async () => {
    const trained = await run('aiforge', ['train', 'experiments/simple_nn.yaml', 'experimentName=printed', ...settings], folder); // prettier-ignore
    const tableOf = (text: string) => /Held-out test \(weights of epoch \d\): loss .*\n( +.*\n)+/.exec(text)![0];
    const directory = runFolders(folder, 'printed')[0]!;
    const { status, stdout } = await run('aiforge', ['test', directory], folder);
    expect(status).to.equal(0);
    expect(stdout).to.include(tableOf(trained.stdout).trimEnd());
    expect(stdout).to.match(/40 samples; .*best\.safetensors of /);
    const validated = await run('aiforge', ['validate', directory], folder);
    expect(validated.stdout).to.match(/^Validation \(weights of epoch 2\): loss [\d.]+, accuracy/);
    expect(readdirSync(path.join(folder, 'runs', 'printed'))).to.have.length(1);
  });

  it('gives the recorded scores to the last bit, as JSON, for a run by its name', async () => {
    const name = path.relative(path.join(folder, 'runs'), one);
    const test = await evaluated(['test', name]);
    expect(test.scores).to.deep.equal(scoresIn(one, 'test_', 'run'));
    expect(test).to.deep.include({ split: 'test', samples: 40, classNames: ['inside', 'outside'] });
    const last = await evaluated(['validate', one, '--weights', 'last.safetensors']);
    expect(last.scores).to.deep.equal(scoresIn(one, 'val_', 'epoch'));
  });

  it('gives them on two ranks as well', async () => {
    const two = await train('train', 'two', 2);
    const before = readFileSync(path.join(two, 'metrics.jsonl'), 'utf8');
    const test = await evaluated(['test', two], 2);
    expect(test.scores).to.deep.equal(scoresIn(two, 'test_', 'run'));
    const last = await evaluated(['validate', two, '--weights', 'last.safetensors'], 2);
    expect(last.scores).to.deep.equal(scoresIn(two, 'val_', 'epoch'));
    // On one the batches are others, which rounds otherwise.
    const alone = await evaluated(['test', two]);
    expect(alone.confusion).to.deep.equal(test.confusion);
    expect(alone.scores.loss).to.be.closeTo(test.scores.loss!, 1e-6);
    expect(readFileSync(path.join(two, 'metrics.jsonl'), 'utf8')).to.equal(before);
  });

  it('takes settings, and says what it does not take', async () => {
    const limited = await evaluated(['test', one, 'training.limitTestBatches=1', 'training.batchSize=8']);
    expect(limited.samples).to.equal(8);
    for (const [args, said] of [
      [['test', one, 'training.learningRate=1'], /^CONFIG_INVALID .*\n {2}training\.learningRate was .* it has no effect here\n.*can be given: dataPath, /], // prettier-ignore
      [['test', one, 'training.limitTestBatche=1'], /limitTestBatches/],
      [['test', one, '--weights', 'bets.safetensors'], /Did you mean 'best\.safetensors'\?/],
      [['test', path.join(folder, 'nothing')], /^FILE_NOT_FOUND There is no run/],
      [['validate'], /missing required argument 'run'/],
      [['validate', one, '--jsno'], /unknown option '--jsno'\n\(Did you mean --json\?\)/],
      [['valdate', one], /Did you mean validate\?/],
    ] as const) {
      const { status, stdout, stderr } = await run('aiforge', [...args], folder);
      expect(status, args.join(' ')).to.equal(1);
      expect(stdout).to.equal('');
      expect(stderr).to.match(said);
    }
  });

  it('take the weights by which a run is named, and refuse other files', async () => {
    const last = path.join(one, 'last.safetensors');
    const best = await evaluated(['validate', path.join(one, 'best.safetensors')]);
    expect(best).to.deep.include({ weights: path.join(one, 'best.safetensors'), directory: one });
    for (const given of [[last], [last, '--weights', 'last.safetensors']]) {
      expect(await evaluated(['validate', ...given])).to.deep.include({ weights: last, directory: one });
    }
    expect(await evaluated(['test', path.relative(path.join(folder, 'runs'), last)])).to.deep.include({
      weights: last,
    });
    const older = path.join(one, 'checkpoints', 'epoch-00001.safetensors');
    mkdirSync(path.dirname(older), { recursive: true });
    copyFileSync(last, older);
    expect(await evaluated(['test', older])).to.deep.include({ weights: older, directory: one });
    for (const command of ['validate', 'test']) {
      for (const [args, said] of [
        [
          [last, '--weights', 'best.safetensors'],
          /^INVALID_ARGUMENT '.*last\.safetensors' and --weights best\.safetensors are not the same/,
        ],
        [
          [path.join(one, 'config.yaml')],
          /^INVALID_ARGUMENT '.*config\.yaml' is a file, which is no run\. Give the folder of its run, .*one\/[^]*weights/,
        ],
        [[path.join(folder, 'points.safetensors')], /^INVALID_ARGUMENT .* Give the folder of a run, or a file/],
      ] as const) {
        const { status, stderr } = await run('aiforge', [command, ...args], folder);
        expect(status, args.join(' ')).to.equal(1);
        expect(stderr).to.match(said);
      }
    }
  });

  it('stops after a signal, on each of two ranks too', async () => {
    const fixture = path.resolve('test/cli/fixtures/experiments/faulty.yaml');
    const env = { LOAD_MS: '20000' };
    await run('aiforge', ['train', fixture, 'training.epochs=1'], folder);
    const [directory] = runFolders(folder, 'faulty');
    for (const [command, args] of [
      ['aiforge', []],
      ['aiforge-launch', ['--nproc', '2', '--no-prefix']],
    ] as const) {
      const child = start(command, [...args, 'test', directory!], folder, env);
      const end = finished(child);
      await printed(child, 'loading');
      child.kill('SIGTERM');
      const { status, stderr } = await end;
      expect(status, stderr).to.equal(143);
      expect(stderr).to.include('The run was stopped while its data was prepared');
    }
  });
});
