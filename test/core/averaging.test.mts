import path from 'node:path';

import type { nn } from 'aiforge';
import { loadSafetensors, optim, scope, type Callback, type RunStart, type Tensor } from 'aiforge';
import { expect } from 'chai';
import { loadCheckpoint } from '#lib/core/checkpoints/checkpoint.js';

import { temporaryFolder } from '../support/project.mjs';
import { abortAt, bytesOf, experiment, failureOf, Model, runIn } from './lab.mjs';

const listOf = (tensors: Iterable<[string, Tensor]>) =>
  Object.fromEntries([...tensors].map(([name, value]) => [name, value.tolist()]));

/** Averages beside the run as a loop of one's own would. */
function beside(make: (model: nn.Module) => optim.swaUtils.AveragedModel, after: 'onOptimizerStepEnd' | 'onStageEnd') {
  const seen: { averaged?: optim.swaUtils.AveragedModel; model?: nn.Module } = {};
  const callback: Callback = {
    onRunStart: ({ model }: RunStart) => void Object.assign(seen, { model, averaged: make(model) }),
    [after]: ({ stage = 'train' }: { stage?: string }) => {
      if (stage === 'train') seen.averaged!.updateParameters(seen.model!);
    },
  };
  return { seen, callback };
}

describe('training.averaging', () => {
  const folder = temporaryFolder('averaging');
  const inside = (name: string) => path.join(folder, name);
  const ema = { method: 'ema', decay: 0.9 };

  it('has the exponential average of each step in place of the weights wherever they are measured or kept', async () => {
    const { seen, callback } = beside(
      (model) => new optim.swaUtils.AveragedModel(model, { multiAvgFn: optim.swaUtils.getEmaMultiAvgFn(0.9) }),
      'onOptimizerStepEnd',
    );
    const config = experiment({ averaging: ema, earlyStoppingMonitor: 'train_loss', epochs: 2 });
    const { runDirectory, bestEpoch } = await runIn(inside('ema'), config, { callbacks: [callback] });
    expect(bestEpoch).to.equal(2);
    const { tensors } = loadSafetensors(path.join(runDirectory, 'best.safetensors'));
    expect(listOf(Object.entries(tensors))).to.deep.equal(listOf(Object.entries(seen.averaged!.module.stateDict() as Record<string, Tensor>))); // prettier-ignore
    // The weights themselves go on as without.
    const plain = await runIn(inside('plain'), experiment({ earlyStoppingMonitor: 'train_loss', epochs: 2 }));
    const { model } = loadCheckpoint(path.join(runDirectory, 'last.safetensors'));
    expect(listOf(Object.entries(model))).to.deep.equal(listOf(Object.entries(loadCheckpoint(path.join(plain.runDirectory, 'last.safetensors')).model))); // prettier-ignore
  });

  it('begins, and averages, when it is told to', async () => {
    const averaging = { ...ema, startStep: 5, everySteps: 3 };
    const { runDirectory } = await runIn(inside('late'), experiment({ epochs: 1, averaging }));
    const { averages } = loadCheckpoint(path.join(runDirectory, 'last.safetensors'));
    // At the steps 6 and 9 of 11.
    expect(averages.n_averaged!.item()).to.equal(2);
  });

  it('has the mean over epochs, with statistics that fit it', async () => {
    const averaging = { method: 'swa', startEpoch: 2 };
    const weights: Record<string, unknown>[] = [];
    let model: nn.Module | undefined;
    const callback: Callback = {
      onRunStart: (run) => void (model = run.model),
      onStageEnd: ({ stage }) => {
        if (stage === 'train') weights.push(scope(() => Object.fromEntries([...model!.namedParameters()].map(([name, value]) => [name, value.detach().clone().flatten().tolist()])))); // prettier-ignore
      },
    };
    const { runDirectory } = await runIn(inside('swa'), experiment({ averaging, earlyStoppingMonitor: 'train_loss' }), { callbacks: [callback] }); // prettier-ignore
    const { tensors } = loadSafetensors(path.join(runDirectory, 'best.safetensors'));
    const [, second, third] = weights as Record<string, number[]>[];
    const got = tensors['head.weight']!.flatten().tolist<number[]>();
    got.forEach((value, i) => expect(value).to.be.closeTo((second!['head.weight']![i]! + third!['head.weight']![i]!) / 2, 1e-6)); // prettier-ignore
    expect(tensors['body.1.num_batches_tracked']!.item()).to.equal(11);
    // Those of batches that go through the averaged layer before it.
    const { model: last } = loadCheckpoint(path.join(runDirectory, 'last.safetensors'));
    expect(tensors['body.1.running_mean']!.tolist()).to.not.deep.equal(last['body.1.running_mean']!.tolist());
  });

  for (const averaging of [ema, { method: 'swa', startEpoch: 1 }]) {
    it(`goes on to the last bit: ${averaging.method}, in mid-epoch and in validation`, async () => {
      const training = { averaging };
      const whole = await runIn(inside(`${averaging.method}-whole`), experiment(training));
      const inValidation = () => {
        const controller = new AbortController();
        const callback: Callback = {
          onBatchEnd: ({ stage, epoch }) => void (stage === 'validation' && epoch === 2 && controller.abort()),
        };
        return { signal: controller.signal, callbacks: [callback] };
      };
      for (const [name, stop] of [
        ['mid', abortAt(2, 4)],
        ['validation', inValidation()],
      ] as const) {
        // prettier-ignore
        const cut = await runIn(inside(`${averaging.method}-${name}`), experiment(training), stop);
        expect(cut.status).to.equal('interrupted');
        const { runDirectory } = await runIn(inside(`${averaging.method}-${name}`), experiment({ ...training, resumeFrom: cut.runDirectory })); // prettier-ignore
        for (const file of ['last.safetensors', 'best.safetensors']) {
          expect(bytesOf(runDirectory, file) === bytesOf(whole.runDirectory, file), `${name}: ${file}`).to.equal(true);
        }
      }
    });
  }

  it('is refused where it is not what it may be', () => {
    for (const [averaging, message] of [
      [{ method: 'ema', decay: 2 }, /decay/],
      [{ method: 'ema', startEpoch: 2 }, /startEpoch/],
      [{ method: 'swa' }, /startEpoch/],
      [{ method: 'mean' }, /method/],
    ] as const) {
      expect(() => experiment({ averaging })).to.throw(message);
    }
  });

  it('computes activations of the named modules anew, with the same bits, and refuses names of none', async () => {
    const whole = await runIn(inside('kept'), experiment({ epochs: 1 }));
    const { runDirectory } = await runIn(inside('anew'), experiment({ epochs: 1, activationCheckpointing: ['body.0', 'head'] })); // prettier-ignore
    expect(bytesOf(runDirectory, 'best.safetensors')).to.equal(bytesOf(whole.runDirectory, 'best.safetensors'));
    const error = await failureOf(runIn(inside('none'), experiment({ activationCheckpointing: ['haed'] })));
    expect(error.message).to.match(
      /activationCheckpointing.*no module of the model is called 'haed'. Did you mean 'head'/,
    );
    expect(new Model({ dropout: 0, classes: 2 })).to.not.have.own.property('forward');
  });
});
