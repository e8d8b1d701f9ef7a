import { BasePreprocessor, loadRun, registerPlugin } from 'aiforge';
import { expect } from 'chai';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { temporaryFolder } from '../support/project.mjs';
import { warningsOf } from '../tracking/logLines.mjs';
import { abortAt, Config, Dataset, experiment, failureOf, Model, runIn, type Batch } from './lab.mjs';

class Scaled extends BasePreprocessor<Batch, Batch> {
  scale = 0;

  fit(): void {
    this.scale = 1.5;
  }
  transform({ x, labels }: Batch): Batch {
    return { x: x.mul(this.scale), labels };
  }
  inverseTransform({ x, labels }: Batch): Batch {
    return { x: x.div(this.scale), labels };
  }
  state(): unknown {
    return { scale: this.scale };
  }
  restore(state: unknown): void {
    this.scale = (state as { scale: number }).scale;
  }
}

registerPlugin({ name: 'scaled', Model, Dataset, Config, Preprocessor: Scaled });

describe("the files of a run's folder", () => {
  const folder = temporaryFolder('run-files');
  const plugins = { modelPlugin: 'scaled', datasetPlugin: 'scaled' };
  const cut = (runs: string) => runIn(path.join(folder, runs), experiment({}, plugins), abortAt(2, 4));
  const goOn = (runDirectory: string) => runIn(folder, experiment({ resumeFrom: runDirectory, epochs: 2 }, plugins));

  it('go together: another preprocessor is refused by a resume and by loadRun', async () => {
    const { runDirectory } = await cut('preprocessor');
    const file = path.join(runDirectory, 'preprocessor.json');
    const own = readFileSync(file, 'utf8');
    expect(own).to.equal('{"scale":1.5}\n');
    for (const other of ['{"scale":1.4}\n', '{"scane":1.5}\n']) {
      writeFileSync(file, other);
      for (const failure of [await failureOf(goOn(runDirectory)), loadFailure(runDirectory)]) {
        expect(failure).to.include({ code: 'FILE_INVALID' });
        expect(failure.message).to.match(/preprocessor\.json is not as the run wrote it/);
      }
    }
    writeFileSync(file, own);
    expect((await goOn(runDirectory)).status).to.equal('finished');
    loadRun(runDirectory);
  });

  it('hold a state that JSON keeps, and no other', async () => {
    const states: [unknown, RegExp][] = [
      [{ words: { a: new Map([['x', 1]]) } }, /Odd\.state\(\) has Map.* at words\.a, which JSON does not keep/],
      [{ mean: NaN }, /NaN at mean/],
      [{ mean: Float32Array.of(1) }, /at mean/],
      [{ big: 1n }, /1n at big/],
    ];
    for (const [i, [state, message]] of states.entries()) {
      class Odd extends Scaled {
        override state(): unknown {
          return state;
        }
      }
      registerPlugin({ name: `odd${i}`, Model, Dataset, Config, Preprocessor: Odd });
      const config = experiment({}, { modelPlugin: `odd${i}`, datasetPlugin: `odd${i}` });
      const failure = await failureOf(runIn(path.join(folder, 'odd'), config));
      expect(failure).to.include({ code: 'PLUGIN_INVALID' });
      expect(failure.message).to.match(message);
    }
  });

  it('hold the best weights that the end needs: damaged ones are refused at once', async () => {
    const { runDirectory } = await cut('best');
    const file = path.join(runDirectory, 'best.safetensors');
    const bytes = readFileSync(file);
    bytes[bytes.length - 3]! ^= 1;
    writeFileSync(file, bytes);
    const failure = await failureOf(goOn(runDirectory));
    expect(failure).to.include({ code: 'FILE_INVALID' });
    expect(failure.message).to.include('best.safetensors is damaged');
  });

  it('hold no checkpoint from before the end of a run that keeps none', async () => {
    const training = { checkpoint: { keepLast: false, everySteps: null }, epochs: 2 };
    const whole = await runIn(path.join(folder, 'none'), experiment(training));
    const runs = path.join(folder, 'kept-until');
    const { runDirectory } = await runIn(runs, experiment(training), abortAt(1, 4));
    expect(existsSync(path.join(runDirectory, 'last.safetensors'))).to.equal(true);
    await runIn(runs, experiment({ ...training, resumeFrom: runDirectory }));
    const names = (directory: string) => readdirSync(directory).sort();
    expect(names(runDirectory)).to.deep.equal(names(whole.runDirectory)).and.not.to.include('last.safetensors');
  });

  it('say so when a folder has the name of one', async () => {
    const callback = {
      onRunStart: ({ runDirectory }: { runDirectory: string }) =>
        void mkdirSync(path.join(runDirectory, 'last.safetensors', 'x'), { recursive: true }),
    };
    const failure = await failureOf(runIn(path.join(folder, 'taken-name'), experiment(), { callbacks: [callback] }));
    expect(failure).to.include({ code: 'TRAINING_FAILED' });
    expect(failure.message).to.match(/last\.safetensors cannot be written: a folder has its name/);
  });

  it('are told of when metrics are missing at a resume', async () => {
    const { runDirectory } = await cut('metrics');
    const file = path.join(runDirectory, 'metrics.jsonl');
    const lines = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, lines.filter((line) => !line.includes('"step":3,')).join('\n'));
    const warnings = await warningsOf(async () => void (await goOn(runDirectory)));
    expect(warnings.map(({ msg }) => msg).join('\n')).to.match(/metrics\.jsonl lacks 1 of the 15 steps/);
  });

  it('are told of when somebody takes them away while the run goes on', async () => {
    const callback = {
      onEpochEnd: ({ epoch }: { epoch: number }) => {
        if (epoch === 2) rmSync(path.join(directory, 'metrics.jsonl'));
      },
      onRunStart: ({ runDirectory }: { runDirectory: string }) => void (directory = runDirectory),
    };
    let directory = '';
    const warnings = await warningsOf(async () => {
      await runIn(path.join(folder, 'taken'), experiment(), { callbacks: [callback] });
    });
    expect(warnings.map(({ msg }) => msg).join('\n')).to.match(/metrics\.jsonl of \S+ went missing/);
  });
});

function loadFailure(runDirectory: string): Error {
  try {
    loadRun(runDirectory);
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was loaded');
}
