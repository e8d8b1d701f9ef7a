import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { loadSafetensors } from 'aiforge';
import { expect } from 'chai';

import { run, temporaryFolder } from '../support/project.mjs';

/** What a rank says at its end. */
interface Said {
  runDirectory: string;
  worldSize: number;
  history: Record<string, number>[];
  /** The samples of each epoch that it trained on. */
  epochs: number[][];
  status: string;
  /** How often a timer fired in the batch that another rank was late for. */
  ticks: number;
}

interface Trained {
  weights: number[];
  /** The learning rate of each update. */
  rates: number[];
  history: Record<string, number>[];
  /** The samples of each epoch, over all ranks. */
  epochs: number[][];
}

const weightsOf = (directory: string): number[] => {
  const { tensors } = loadSafetensors(path.join(directory, 'last.safetensors'));
  return [...tensors['model.w']!.tolist<number[]>(), tensors['model.bias']!.item<number>()];
};

const script = path.resolve('test/cli/fixtures/worlds.mjs');

// Windows of 12 samples: worlds × batches × samples of a batch.
const worlds = [
  [1, 12, 1],
  [1, 4, 3],
  [2, 3, 2],
  [3, 2, 2],
  [4, 1, 3],
] as const;

describe('training on any number of ranks', () => {
  const folder = temporaryFolder('worlds');
  const all = [...Array(24).keys()];

  async function launch(ranks: number, args: string[], inside: string, env: NodeJS.ProcessEnv = {}): Promise<Said[]> {
    const { status, stdout, stderr } = await run('aiforge-launch', ['--nproc', String(ranks), '--no-prefix', script, ...args], inside, env); // prettier-ignore
    expect(status, stderr).to.equal(0);
    const lines = stdout.split('\n').filter((line) => line.startsWith('{"runDirectory"'));
    const said = lines.map((line) => JSON.parse(line) as Said);
    expect(said).to.have.length(ranks);
    return said;
  }

  async function train(ranks: number, batchSize: number, steps: number, weighting: string): Promise<Trained> {
    const inside = path.join(folder, `${weighting}-${ranks}-${batchSize}`);
    const said = await launch(ranks, [String(batchSize), String(steps), weighting], inside);
    const directory = said[0]!.runDirectory;
    const metrics = readFileSync(path.join(directory, 'metrics.jsonl'), 'utf8').trim().split('\n');
    const measured = metrics.map((line) => (JSON.parse(line) as { metrics?: Record<string, number> }).metrics ?? {});
    return {
      weights: weightsOf(directory),
      rates: measured.flatMap(({ train_loss_step, learning_rate }) => (train_loss_step === undefined ? [] : [learning_rate!])), // prettier-ignore
      history: said[0]!.history,
      epochs: [0, 1, 2].map((epoch) => said.flatMap(({ epochs }) => epochs[epoch]!)),
    };
  }

  for (const weighting of ['samples', 'tokens']) {
    it(`gives the same weights, learning rates and metrics where the steps weigh ${weighting}`, async () => {
      const trained: Trained[] = [];
      for (const [ranks, batchSize, steps] of worlds) trained.push(await train(ranks, batchSize, steps, weighting));
      const [whole, ...others] = trained;
      expect(whole!.rates).to.have.length(6);
      expect(new Set(whole!.rates).size).to.equal(6);
      for (const other of others) {
        expect(other.rates).to.deep.equal(whole!.rates);
        other.weights.forEach((value, i) => expect(value).to.be.closeTo(whole!.weights[i]!, 1e-6));
        other.history.forEach((epoch, i) => {
          for (const name of ['train_loss', 'val_loss', 'val_root']) {
            expect(epoch[name], name).to.be.closeTo(whole!.history[i]![name]!, 1e-6);
          }
        });
      }
    }).timeout(120_000);
  }

  for (const [what, weighting, sizes] of [
    [
      'a model steps its optimizer itself',
      'manual',
      [
        [1, 12, 1],
        [2, 6, 1],
        [3, 4, 1],
      ],
    ],
    [
      'a weight is frozen at first',
      'thaw',
      [
        [1, 12, 1],
        [2, 6, 1],
        [3, 4, 1],
      ],
    ],
    [
      'batches of some ranks are left out',
      'skip',
      [
        [1, 1, 12],
        [2, 1, 6],
        [3, 1, 4],
      ],
    ],
  ] as const) {
    it(`gives the same weights and losses where ${what}`, async () => {
      const trained: Trained[] = [];
      for (const [ranks, batchSize, steps] of sizes) trained.push(await train(ranks, batchSize, steps, weighting));
      const [whole, ...others] = trained;
      expect(whole!.rates).to.have.length(6);
      expect(whole!.weights.every(Number.isFinite)).to.equal(true);
      for (const other of others) {
        expect(other.rates).to.deep.equal(whole!.rates);
        other.weights.forEach((value, i) => expect(value).to.be.closeTo(whole!.weights[i]!, 1e-6));
        other.history.forEach(({ train_loss, val_loss }, i) => {
          if (weighting === 'skip') expect(train_loss).to.be.closeTo(whole!.history[i]!.train_loss!, 1e-6);
          expect(val_loss).to.be.closeTo(whole!.history[i]!.val_loss!, 1e-6);
        });
      }
    }).timeout(120_000);
  }

  const unscheduled = { SCHEDULER: 'null' };

  for (const [before, after] of [
    [2, 1],
    [1, 2],
    [2, 3],
    [3, 2],
  ] as const) {
    it(`goes on with ${after} ranks where ${before} stopped in an epoch, each sample once`, async () => {
      const inside = path.join(folder, `from-${before}-to-${after}`);
      const stopped = await launch(before, ['2', '1', 'samples'], inside, { STOP_AFTER: '2', ...unscheduled });
      expect(stopped[0]!.status).to.equal('interrupted');
      const env = { RESUME: stopped[0]!.runDirectory, ...unscheduled };
      const said = await launch(after, ['2', '1', 'samples'], inside, env);
      expect(said[0]!).to.include({ status: 'finished', worldSize: after });
      const seen = [0, 1, 2].map((epoch) => [...stopped, ...said].flatMap(({ epochs }) => epochs[epoch]!));
      // Ranks that what is left cannot be divided among evenly get a sample more, as in any epoch.
      const left = 24 - stopped.flatMap(({ epochs }) => epochs[0]!).length;
      expect(new Set(seen[0]).size).to.equal(24);
      expect(seen[0]).to.have.length(24 - left + Math.ceil(left / after) * after);
      for (const epoch of seen.slice(1)) expect(epoch.sort((a, b) => a - b)).to.deep.equal(all);
      expect(said[0]!.history).to.have.length(3);
      expect(weightsOf(said[0]!.runDirectory).every(Number.isFinite)).to.equal(true);
    }).timeout(60_000);
  }

  for (const [before, after] of [
    [3, 1],
    [3, 2],
    [2, 1],
    [1, 2],
  ] as const) {
    it(`goes on with ${after} ranks where ${before} stopped after the last batch of an epoch, with what it measured`, async () => {
      const inside = path.join(folder, `ended-${before}-to-${after}`);
      const batches = String(12 / before);
      const whole = await launch(before, ['2', '1', 'samples'], path.join(inside, 'whole'), unscheduled);
      const stopped = await launch(before, ['2', '1', 'samples'], inside, { STOP_AFTER: batches, ...unscheduled });
      expect(stopped[0]!.status).to.equal('interrupted');
      const env = { RESUME: stopped[0]!.runDirectory, ...unscheduled };
      const said = await launch(after, ['2', '1', 'samples'], inside, env);
      expect(said.flatMap(({ epochs }) => epochs[0]!)).to.deep.equal([]);
      expect(said[0]!.status).to.equal('finished');
      const [own, theirs] = [said[0]!.history[0]!, whole[0]!.history[0]!];
      expect(own.train_loss).to.be.closeTo(theirs.train_loss!, 1e-9);
      // Of other batches, whose means are float32.
      expect(own.val_loss).to.be.closeTo(theirs.val_loss!, 1e-6);
    }).timeout(60_000);
  }

  it('goes on with three ranks to the bytes of a run that was never stopped', async () => {
    const experiment = path.resolve('experiments/simple_nn.yaml');
    const last = async (name: string, ...settings: string[]): Promise<Buffer> => {
      const env = {
        RUNS_DIR: path.join(folder, name),
        DATA_DIR: path.join(folder, 'bytes-data'),
        OMP_NUM_THREADS: '1',
      };
      const { status, stderr } = await run('aiforge-launch', ['--nproc', '3', 'train', ...settings], folder, env);
      expect(status, stderr).to.equal(0);
      const [runName] = readdirSync(path.join(env.RUNS_DIR, 'simple_nn'));
      return readFileSync(path.join(env.RUNS_DIR, 'simple_nn', runName!, 'last.safetensors'));
    };
    const settings = [experiment, 'training.batchSize=8', 'training.earlyStoppingPatience=null', 'training.epochs=3'];
    const whole = await last('whole', ...settings);
    await last('parts', ...settings, 'training.epochs=1');
    const [runName] = readdirSync(path.join(folder, 'parts', 'simple_nn'));
    const parts = await last(
      'parts',
      '--resume',
      path.join(folder, 'parts', 'simple_nn', runName!),
      'training.epochs=3',
    );
    expect(parts.equals(whole)).to.equal(true);
  }).timeout(120_000);

  it('refuses to go on with other ranks where the schedule is as long as the run, and leaves it as it is', async () => {
    const inside = path.join(folder, 'scheduled');
    const stopped = await launch(2, ['2', '1', 'samples'], inside, { STOP_AFTER: '2' });
    const RESUME = stopped[0]!.runDirectory;
    const before = weightsOf(RESUME);
    const { status, stderr } = await run('aiforge-launch', ['--nproc', '1', script, '2', '1', 'samples'], inside, { RESUME }); // prettier-ignore
    expect(status).to.equal(1);
    expect(stderr).to.match(
      /written by 2 ranks and cannot go on with 1: training\.scheduler \(CosineAnnealingLR\) goes by steps/,
    );
    expect(weightsOf(RESUME)).to.deep.equal(before);
  }).timeout(60_000);

  it('goes on with timers and requests while another rank is late', async () => {
    const [first, last] = await launch(2, ['1', '1', 'samples'], path.join(folder, 'late'), { LATE: '1' });
    // Of some 75 in the 1.5 s; a rank that waits on its thread has none.
    const waiting = Math.max(first!.ticks, last!.ticks);
    expect(waiting).to.be.greaterThan(15);
  }).timeout(60_000);

  it('averages gradients as training.ddp says', async () => {
    const trained: Record<string, number[]> = {};
    for (const [name, ddp] of Object.entries({
      plain: {},
      views: { gradientAsBucketView: true, bucketCapMb: 1, batchedGradCopy: true, skipAllReduceUnusedParams: true },
      static: { staticGraph: true, broadcastBuffers: false },
      allreduce: { commHook: 'allreduce' },
      fp16: { commHook: 'fp16' },
      bf16: { commHook: 'bf16' },
      powerSGD: { commHook: 'powerSGD', powerSGD: { startPowerSGDIter: 2 } },
    })) {
      const said = await launch(2, ['6', '1', 'samples'], path.join(folder, name), { DDP: JSON.stringify(ddp) });
      trained[name] = weightsOf(said[0]!.runDirectory);
    }
    for (const name of ['views', 'static', 'allreduce', 'powerSGD']) {
      trained[name]!.forEach((value, i) => expect(value, name).to.be.closeTo(trained.plain![i]!, 1e-6));
    }
    for (const name of ['fp16', 'bf16']) {
      expect(trained[name], name).to.not.deep.equal(trained.plain);
      trained[name]!.forEach((value, i) => expect(value, name).to.be.closeTo(trained.plain![i]!, 1e-2));
    }
  }).timeout(120_000);

  it('trains on each sample once an epoch', async () => {
    const { epochs } = await train(3, 2, 1, 'samples');
    for (const epoch of epochs) expect(epoch.sort((a, b) => a - b)).to.deep.equal(all);
  }).timeout(60_000);

  it('trains on each sample once an epoch where two ranks are stopped in epochs, also in a later one', async () => {
    const inside = path.join(folder, 'stopped');
    const parts: Said[][] = [];
    // An epoch has 12 batches of 0.12 s, after each of which ranks ask each other.
    for (const stopAfter of [2, 14, undefined]) {
      const env = {
        STOP_AFTER: stopAfter === undefined ? undefined : String(stopAfter),
        RESUME: parts.at(-1)?.[0]!.runDirectory,
      };
      parts.push(await launch(2, ['1', '1', 'samples'], inside, env));
    }
    expect(parts.map((said) => said[0]!.status)).to.deep.equal(['interrupted', 'interrupted', 'finished']);
    expect(
      parts[0]!.flatMap(({ epochs }) => epochs[0]!),
      'stopped in its first epoch',
    ).to.have.length.below(24);
    expect(
      parts[1]!.flatMap(({ epochs }) => epochs[1]!),
      'stopped in its second epoch',
    ).to.have.length.within(1, 18);
    const seen = parts.flat();
    const ids = [0, 1, 2].map((epoch) => seen.flatMap(({ epochs }) => epochs[epoch]!).sort((a, b) => a - b));
    expect(ids).to.deep.equal([all, all, all]);
  }).timeout(60_000);
});
