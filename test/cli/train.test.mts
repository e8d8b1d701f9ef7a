import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';

import { expect } from 'chai';

import { finished, printed, run, start, temporaryFolder } from '../support/project.mjs';

describe('aiforge train', () => {
  const folder = temporaryFolder('train');
  const small = [
    'train',
    'experiments/simple_nn.yaml',
    `dataPath=${path.join(folder, 'points.safetensors')}`,
    'datasetArgs.numSamples=400',
    'model.dropout=0',
    'training.epochs=2',
    'training.numThreads=1',
  ];
  const long = [...small, 'datasetArgs.numSamples=20000', 'training.epochs=1000', 'training.batchSize=4'];

  function onlyRun(runs: string): string {
    const experiment = path.join(runs, 'runs', 'simple_nn');
    const [name] = readdirSync(experiment);
    return path.join(experiment, name!);
  }

  function inside(name: string): string {
    const inner = path.join(folder, name);
    mkdirSync(inner, { recursive: true });
    return inner;
  }

  it('prints progress, the test’s scores, the confusion table and where the files are', async () => {
    const { status, stdout, stderr } = await run('aiforge', small, inside('one'));
    expect(stderr).to.equal('');
    expect(status).to.equal(0);
    expect(stdout).to.match(/epoch 2\/2 {2}train_loss \d\.\d{4}/);
    expect(stdout).to.match(/Held-out test \(weights of epoch \d\): loss .* accuracy .* F1/);
    expect(stdout).to.match(/is \\ predicted as +inside +outside/);
    for (const name of ['config.yaml', 'best.safetensors', 'last.safetensors', 'metrics.jsonl', 'log.jsonl']) {
      expect(existsSync(path.join(onlyRun(inside('one')), name)), name).to.equal(true);
      expect(stdout).to.include(name);
    }
    expect(stdout).to.include('Next: ');
  });

  it('on two ranks gives the losses of one process with batches of twice the size', async () => {
    const options = ['training.optimizerName=SGD', 'training.learningRate=0.1'];
    const one = await run('aiforge', [...small, ...options, 'training.batchSize=32'], inside('single'));
    const two = await run(
      'aiforge-launch',
      ['--nproc', '2', ...small, ...options, 'training.batchSize=16'],
      inside('double'),
    );
    expect(one.status, one.stderr).to.equal(0);
    expect(two.status, two.stderr).to.equal(0);
    const losses = (runs: string) =>
      readFileSync(path.join(onlyRun(runs), 'metrics.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { metrics?: Record<string, number> }).metrics ?? {})
        .flatMap(({ val_loss: val, train_loss: train, test_loss: test }) =>
          [val, train, test].filter((v) => v !== undefined),
        );
    const [expected, found] = [losses(inside('single')), losses(inside('double'))];
    expect(found).to.have.length(5);
    found.forEach((loss, i) => expect(loss).to.be.closeTo(expected[i]!, 1e-6));
  });

  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`leaves a checkpoint and exits ${status} after ${signal} in mid-epoch, and goes on from there`, async () => {
      const runs = inside(signal);
      const child = start('aiforge', long, runs);
      const end = finished(child);
      await printed(child, 'files in');
      await new Promise((resolve) => setTimeout(resolve, 1500));
      child.kill(signal);
      const result = await end;
      expect(result.status, result.stderr).to.equal(status);
      expect(result.stdout).to.include('Interrupted. Go on with: ');
      const directory = onlyRun(runs);
      expect(existsSync(path.join(directory, 'last.safetensors'))).to.equal(true);
      const again = start('aiforge', [...long, `training.resumeFrom=${directory}`], runs);
      await printed(again, 'files in');
      again.kill('SIGINT');
      const resumed = await finished(again);
      expect(resumed.status).to.equal(130);
    });
  }

  it('stops both ranks at one step after Ctrl-C on the launcher', async () => {
    const runs = inside('launched-interrupt');
    const child = start('aiforge-launch', ['--nproc', '2', ...long], runs);
    const end = finished(child);
    await printed(child, 'files in');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    child.kill('SIGINT');
    const result = await end;
    expect(result.status, result.stderr).to.equal(130);
    expect(existsSync(path.join(onlyRun(runs), 'last.safetensors'))).to.equal(true);
  });

  it('goes on to the same bytes on two ranks after an interruption in mid-epoch', async () => {
    const args = ['--nproc', '2', ...small, 'model.dropout=0.2', 'datasetArgs.numSamples=6000', 'training.epochs=3'];
    const options = ['training.batchSize=4', 'training.earlyStoppingPatience=9'];
    const whole = await run('aiforge-launch', [...args, ...options], inside('whole-two'));
    expect(whole.status, whole.stderr).to.equal(0);
    const child = start('aiforge-launch', [...args, ...options], inside('cut-two'));
    const end = finished(child);
    await printed(child, 'epoch 1/3');
    child.kill('SIGINT');
    const cut = await end;
    expect(cut.status, cut.stderr).to.equal(130);
    const directory = onlyRun(inside('cut-two'));
    const resumed = await run(
      'aiforge-launch',
      [...args, ...options, `training.resumeFrom=${directory}`],
      inside('cut-two'),
    );
    expect(resumed.status, resumed.stderr).to.equal(0);
    const bytes = (folderOfRun: string) => readFileSync(path.join(folderOfRun, 'last.safetensors'));
    expect(bytes(directory).equals(bytes(onlyRun(inside('whole-two'))))).to.equal(true);
  });

  describe('fails with status 1 and one clear message for', () => {
    const cases: [string, () => string[], RegExp][] = [
      [
        'a missing configuration',
        () => ['train', 'experiments/nothing.yaml'],
        /FILE_NOT_FOUND.*experiments\/nothing\.yaml/,
      ],
      ['invalid YAML', () => ['train', write('bad.yaml', 'a: [1,\nb: }')], /CONFIG_INVALID.*bad\.yaml:\d+:\d+/],
      ['a value of the wrong kind', () => [...small, 'training.epochs=many'], /training\.epochs.*many/],
      ['an unknown setting', () => [...small, 'training.epoch=2'], /training\.epoch.*epochs/s],
      [
        'a plugin name with ..',
        () => [...small, 'modelPlugin=../../no-such-etc'],
        /There is no plugin folder '\/.*no-such-etc': .* is not a folder/,
      ],
      ['an unknown plugin', () => [...small, 'datasetPlugin=simple'], /PLUGIN_NOT_FOUND.*'simple'/s],
      ['an unknown optimizer', () => [...small, 'training.optimizerName=Adamm'], /'Adamm'.*Adam/s],
      [
        'missing data',
        () => ['train', 'experiments/spam.yaml', 'dataPath=/no/mails'],
        /FILE_NOT_FOUND.*\/no\/mails.*npm install/s,
      ],
      [
        'a truncated checkpoint',
        () => [...small, `training.resumeFrom=${write('cut.safetensors', 'abc')}`],
        /FILE_INVALID.*cut\.safetensors/,
      ],
    ];

    function write(name: string, content: string): string {
      const file = path.join(folder, name);
      writeFileSync(file, content);
      return file;
    }

    for (const [what, args, message] of cases) {
      it(what, async () => {
        const { status, stderr } = await run('aiforge', args(), inside('failing'));
        expect(status).to.equal(1);
        expect(stderr).to.match(message);
        expect(stderr, 'no stack trace for a foreseen error').to.not.match(/^ +at /m);
      });
    }

    it('a port in use', async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const env = { RANK: '0', WORLD_SIZE: '1', LOCAL_RANK: '0', MASTER_ADDR: '127.0.0.1', MASTER_PORT: String(port) };
      const { status, stderr } = await run('aiforge', small, inside('port'), env);
      server.close();
      expect(status).to.equal(1);
      expect(stderr).to.include(String(port));
    });
  });

  it('fails as a whole when one rank does', async () => {
    const broken = path.join(folder, 'plugins', 'broken');
    mkdirSync(broken, { recursive: true });
    writeFileSync(
      path.join(broken, 'model.ts'),
      `import { BaseModel, nn } from 'aiforge';
       export class Model extends BaseModel<object> {
         layer = new nn.Linear(10, 2);
         forward(x: never) { return this.layer.forward(x); }
         trainingStep(batch: any, batchIdx: number) {
           if (process.env.RANK === '1' && batchIdx === 2) throw new Error('rank one is ill');
           return { loss: this.lossFn.forward(this.forward(batch.features as never), batch.labels) };
         }
         validationStep(batch: any, batchIdx: number) { return this.trainingStep(batch, batchIdx); }
       }`,
    );
    const args = ['--nproc', '2', '--shutdown-timeout', '5', ...small, `modelPlugin=${broken}`, 'model={}'];
    const { status, stderr } = await run('aiforge-launch', args, inside('broken'));
    expect(status).to.equal(1);
    expect(stderr).to.include('rank one is ill');
  });
});
