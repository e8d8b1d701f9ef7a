// What the terminal shows of an error within a plugin: what is wrong and the line of the .ts file, once.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { run, temporaryFolder, type Finished } from '../support/project.mjs';

// The enum and the interface leave no trace at run time: the lines after them must not move.
const model = (step: string): string => `import { BaseModel, nn, type StepOutput, type Tensor } from 'aiforge';

enum Size {
  Small = 5,
}

interface Batch {
  x: Tensor;
  labels: Tensor;
}

export class Model extends BaseModel<object, Batch> {
  layer = new nn.Sequential(new nn.Linear(Size.Small, 2));

  forward(x: Tensor): Tensor {
    return this.layer.forward(x);
  }

  trainingStep(batch: Batch): StepOutput {
    ${step}
  }

  validationStep(batch: Batch): StepOutput {
    return this.trainingStep(batch);
  }
}
`;

const dataset = `import { BaseDataset, ones, tensor } from 'aiforge';
export class Dataset extends BaseDataset<unknown> {
  get length() { return 40; }
  get(i: number) { return { x: ones([4]), labels: tensor(i % 2) }; }
  loadData() {}
}
`;

describe('an error within a plugin', () => {
  const folder = temporaryFolder('plugin-errors');
  const steps = {
    mismatch: 'const predictions = this.forward(batch.x); return { loss: predictions.sum() };',
    mistyped: 'return { loss: (batch as unknown as { y: Batch }).y.x.sum() };',
    frozen: `const foreign = process.getBuiltinModule('node:vm').runInNewContext("new AggregateError([new RangeError('innermost')])"); throw Object.freeze(new Error('outer', { cause: new AggregateError([new TypeError('inner'), foreign], 'several') }));`,
    stray: `if (!Object.hasOwn(this, 'late')) setTimeout(() => { throw new RangeError('stray'); }); Object.assign(this, { late: true }); return { loss: this.layer.forward(batch.x.repeat(1, 2).narrow(1, 0, 5)).sum() };`,
  };
  const file = (name: string): string => path.join(folder, 'plugins', name, 'model.ts');
  const config = (name: string): string => path.join(folder, `${name}.yaml`);

  before(() => {
    for (const [name, step] of Object.entries(steps)) {
      mkdirSync(path.dirname(file(name)), { recursive: true });
      writeFileSync(file(name), model(step));
      writeFileSync(path.join(path.dirname(file(name)), 'dataset.ts'), dataset);
      writeFileSync(
        config(name),
        `experimentName: ${name}\nmodelPlugin: ${name}\ndatasetPlugin: ${name}\ndataPath: none\ntraining: { numThreads: 1 }\n`,
      );
    }
  });

  const count = (text: string, part: string): number => text.split(part).length - 1;
  const mismatch = 'mat1 and mat2 shapes cannot be multiplied (4x4 and 5x2)';

  function expectOnce(output: string, reason: string, ...lines: string[]): void {
    expect(count(output, reason), output).to.equal(1);
    for (const line of lines) expect(count(output, line), output).to.equal(1);
    expect(output).not.to.match(/at .*(dist\/lib|node:|node_modules)/);
    expect(output, 'no line of the log').not.to.include('The run failed');
  }

  const expectedLines = (): string[] => [`${file('mismatch')}:16:`, `${file('mismatch')}:20:`];

  it('shows in a pipe, and is in the log', async () => {
    const runs = path.join(folder, 'pipe');
    const { status, stderr } = await run('aiforge', ['train', config('mismatch')], runs, { LOG_LEVEL: '' });
    expect(status).to.equal(1);
    expectOnce(stderr, mismatch, ...expectedLines());
    expect(stderr).to.match(/^OPERATOR_FAILED aten::linear\(input: float32\[4, 4\]/);
    const [name] = readdirSync(path.join(runs, 'runs', 'mismatch'));
    const log = readFileSync(path.join(runs, 'runs', 'mismatch', name!, 'log.jsonl'), 'utf8');
    expect(log)
      .to.include('The run failed')
      .and.to.include(`${file('mismatch')}:16:`);
  });

  it('shows with its causes, and as it is where nothing can be added to it', async () => {
    const runs = path.join(folder, 'frozen');
    const { status, stderr } = await run('aiforge', ['train', config('frozen')], runs, { LOG_LEVEL: '' });
    expect(status).to.equal(1);
    expect(stderr)
      .to.match(/^Error: outer\n/)
      .and.to.include(`${file('frozen')}:`);
    expect(stderr).to.include('Caused by: AggregateError: several').and.to.include('Caused by: TypeError: inner');
    expect(stderr, 'of another realm').to.include('Caused by: RangeError: innermost');
    const [name] = readdirSync(path.join(runs, 'runs', 'frozen'));
    expect(readFileSync(path.join(runs, 'runs', 'frozen', name!, 'log.jsonl'), 'utf8')).to.include('Error: outer');
  });

  it('shows on a terminal', function () {
    if (spawnSync('script', ['--version']).status !== 0) {
      console.log('      (there is no `script` to make a terminal with)');
      return this.skip();
    }
    const command = `${process.execPath} ${path.resolve('dist/lib/cli/aiforge.js')} train ${config('mismatch')}`;
    const env = { ...process.env, OMP_NUM_THREADS: '1', RUNS_DIR: path.join(folder, 'terminal'), LOG_LEVEL: '' };
    const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8', env });
    expectOnce(stdout, mismatch, ...expectedLines());
  });

  it('shows of two ranks as the launcher’s root cause, and is in the log of each', async () => {
    const logs = path.join(folder, 'logs');
    const args = ['--nproc', '2', '--log-dir', logs, 'train', config('mismatch')];
    const { status, stderr } = await run('aiforge-launch', args, path.join(folder, 'ranks'), { LOG_LEVEL: '' });
    expect(status).to.equal(1);
    expectOnce(stderr, mismatch, ...expectedLines());
    expect(stderr)
      .to.match(/root cause: rank \d .*\n {4}OPERATOR_FAILED /)
      .and.to.match(/rank \d ended .*, with the same error/);
    for (const rank of [0, 1]) {
      const log = readFileSync(path.join(logs, `rank-${rank}.log`), 'utf8');
      expectOnce(log, mismatch, ...expectedLines());
    }
  });

  it('shows of a rank that another launcher started', async () => {
    const errorFile = path.join(folder, 'error.json');
    const env = { LOG_LEVEL: '', TORCHELASTIC_ERROR_FILE: errorFile };
    const { stderr } = await run('aiforge', ['train', config('mismatch')], path.join(folder, 'other'), env);
    expectOnce(stderr, mismatch, ...expectedLines());
    expect(readFileSync(errorFile, 'utf8')).to.include(`${file('mismatch')}:16:`);
  });

  for (const [name, reason] of [
    ['mistyped', "TypeError: Cannot read properties of undefined (reading 'x')"],
    ['stray', 'RangeError: stray'],
  ] as const) {
    it(`shows with its line when it is JavaScript's own: ${name}`, async () => {
      const { status, stderr } = await run('aiforge', ['train', config(name)], path.join(folder, name), {
        LOG_LEVEL: '',
      });
      expect(status).to.equal(1);
      expectOnce(stderr, reason, `${file(name)}:20:`);
    });
  }

  it('shows every frame when asked to', async () => {
    const env = { LOG_LEVEL: '', AIFORGE_STACK: 'full' };
    const { stderr } = await run('aiforge', ['train', config('mismatch')], path.join(folder, 'full'), env);
    expect(stderr)
      .to.include(`${file('mismatch')}:16:`)
      .and.to.match(/at .*dist\/lib\/core/);
  });

  it('shows when a rank fails as it is interrupted', async () => {
    const script = path.join(folder, 'fails.mjs');
    writeFileSync(
      script,
      `process.on('SIGINT', () => { throw new Error('the checkpoint is lost'); }); setInterval(() => {}, 99); console.log('ready');`,
    );
    const launcher = path.resolve('dist/lib/cli/aiforge-launch.js');
    const child = spawn(process.execPath, [launcher, '--nproc', '1', script]);
    const ended = new Promise<Finished>((resolve) => {
      const output = { stdout: '', stderr: '' };
      child.stdout.on('data', (chunk: Buffer) => {
        output.stdout += chunk.toString();
        if (output.stdout.includes('ready')) child.kill('SIGINT');
      });
      child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
      child.once('close', (status) => resolve({ status, ...output }));
    });
    const { status, stderr } = await ended;
    expect(status).to.equal(130);
    expect(stderr).to.match(/root cause: rank 0 .*\n {4}Error: the checkpoint is lost/);
  });
});
