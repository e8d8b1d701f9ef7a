import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { TrainingConfig, type AiforgeError } from 'aiforge';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { abortAt, bytesOf, experiment, failureOf, linesOf, runIn } from './lab.mjs';

interface Trace {
  traceEvents: { ph: string; name: string; ts: number; dur: number; tid: number }[];
}

describe('training.profile', () => {
  const runs = temporaryFolder('profiling');
  const text = (folder: string): string => readFileSync(path.join(folder, 'profile.txt'), 'utf8');
  const trace = (folder: string): Trace =>
    JSON.parse(readFileSync(path.join(folder, 'profile-trace.json'), 'utf8')) as Trace;
  const stepsOf = ({ traceEvents }: Trace): string[] =>
    traceEvents.flatMap(({ name }) => (name.startsWith('ProfilerStep#') ? [name] : []));

  it('profiles the steps that it names, and changes nothing else', async () => {
    const plain = await runIn(runs, experiment());
    const profiled = await runIn(runs, experiment({ profile: { steps: 2, skip: 2, warmup: 1, shapes: true } }));
    const folder = profiled.runDirectory;
    expect(stepsOf(trace(folder))).to.deep.equal(['ProfilerStep#3', 'ProfilerStep#4']);
    const names = new Set(trace(folder).traceEvents.map(({ name }) => name));
    for (const name of ['aten::addmm', 'AddmmBackward0', 'Model', 'Model.body.0', 'aten::stack']) {
      expect([...names], 'in the trace').to.include(name);
    }
    expect(text(folder))
      .to.match(/^Steps 4 to 5 of the optimizer/)
      .and.to.match(/Self CPU time total: /);
    // Two layers of 4 x 8 and 8 x 2: forward, gradients of the weights, and those of the inputs of the second.
    const flops = 2 * 8 * (4 * 8 * 2 + 8 * 2 * 3);
    expect(text(folder)).to.include(`FLOPs of a step: ${flops}, of all 2:`);
    expect(bytesOf(folder, 'best.safetensors')).to.equal(bytesOf(plain.runDirectory, 'best.safetensors'));
    expect(profiled.history).to.deep.equal(plain.history);
    expect(existsSync(path.join(plain.runDirectory, 'profile.txt'))).to.equal(false);
  });

  it('counts steps of the optimizer, and ends with the epoch', async () => {
    const { runDirectory } = await runIn(
      runs,
      experiment({ accumulationSteps: 4, profile: { steps: 9, skip: 0, trace: false } }),
    );
    // Three steps an epoch, of which the first warms up.
    expect(text(runDirectory))
      .to.match(/^Steps 2 to 3 of/)
      .and.not.to.include('FLOPs');
    expect(existsSync(path.join(runDirectory, 'profile-trace.json'))).to.equal(false);
  });

  it('begins anew where an epoch ends before it, and profiles nothing where the run does', async () => {
    const late = await runIn(runs, experiment({ profile: { steps: 1, skip: 10, warmup: 1 } }));
    expect(text(late.runDirectory)).to.match(/^Steps 13 to 13 of/);
    const never = await runIn(runs, experiment({ profile: { skip: 1000 } }));
    expect(existsSync(path.join(never.runDirectory, 'profile.txt'))).to.equal(false);
  });

  it('is applied by a resume, and recorded', async () => {
    const stopped = await runIn(runs, experiment(), abortAt(1, 3));
    const { runDirectory } = await runIn(runs, experiment({ resumeFrom: stopped.runDirectory, profile: { steps: 1 } }));
    expect(text(runDirectory)).to.match(/^Steps 3 to 3 of the optimizer since the training began or was resumed/);
    expect(linesOf(runDirectory).find(({ kind }) => kind === 'changes')!.changes).to.have.property('training.profile');
  });

  it('refuses what it does not know', async () => {
    expect(TrainingConfig.parse({ profile: {} }).profile).to.deep.equal({
      steps: 3,
      skip: 1,
      warmup: 1,
      trace: true,
      shapes: false,
    });
    const config = { ...experiment(), training: { ...experiment().training, profile: { step: 3 } } };
    const error = (await failureOf((async () => runIn(runs, config as never))())) as AiforgeError;
    expect(error.code).to.equal('CONFIG_INVALID');
    expect(error.message).to.match(/training\.profile.*step.*steps/s);
  });

  it('goes with the measures of steps, which count FLOPs when it is over', async () => {
    const profile = { steps: 2, skip: 0, warmup: 0, trace: false };
    const { runDirectory } = await runIn(runs, experiment({ epochs: 1, logStepMetrics: true, profile })); // prettier-ignore
    const steps = linesOf(runDirectory).filter(({ interval }) => interval === 'step');
    expect(steps[0]!.metrics).to.not.have.property('model_flops');
    expect(steps.at(-2)!.metrics!.model_flops).to.be.above(0);
  });
});
