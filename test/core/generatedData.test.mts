import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import {
  AiforgeError,
  generateData,
  loadExperimentConfig,
  loadSafetensors,
  ones,
  saveSafetensors,
  tensor,
  type GeneratedData,
  type Tensor,
} from 'aiforge';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { failureOf, runIn } from './lab.mjs';

describe('generateData', () => {
  const folder = temporaryFolder('generated');
  let made = 0;
  const numbers = (settings: object = { count: 3 }, maker = 'numbers'): GeneratedData => ({
    maker,
    settings: { ...settings },
    generate: (): Record<string, Tensor> => ({ numbers: tensor([++made]) }),
  });
  const inside = (name: string, content?: string): string => {
    const file = path.join(folder, name);
    if (content !== undefined) writeFileSync(file, content);
    return file;
  };
  const numberIn = (file: string) => loadSafetensors(file).tensors.numbers!.tolist<number[]>()[0];
  const failure = (file: string, how = numbers()): AiforgeError => {
    try {
      generateData(file, how);
    } catch (error) {
      expect(error).to.be.instanceOf(AiforgeError);
      return error as AiforgeError;
    }
    throw new Error('nothing was refused');
  };

  it('writes once, and anew when the settings are others', () => {
    const file = inside('deep/numbers.safetensors');
    generateData(file, numbers());
    const first = numberIn(file);
    generateData(file, numbers());
    expect(numberIn(file)).to.equal(first);
    generateData(file, numbers({ count: 4 }));
    expect(numberIn(file)).to.equal(first! + 1);
  });

  for (const [what, write] of [
    ['a text', (file: string) => writeFileSync(file, 'my thesis')],
    ['an empty file', (file: string) => writeFileSync(file, '')],
    ['somebody’s weights', (file: string) => saveSafetensors(file, { features: ones([2]) })],
    ['another maker’s data', (file: string) => generateData(file, numbers({ count: 3 }, 'letters'))],
  ] as [string, (file: string) => void][]) {
    it(`leaves ${what} as it is`, () => {
      const file = inside(`${what}.bin`);
      write(file);
      const before = readFileSync(file);
      const { code, message } = failure(file);
      expect(code).to.equal('CONFIG_INVALID');
      expect(message)
        .to.match(/is not one that numbers made/)
        .and.to.include(file);
      expect(readFileSync(file).equals(before)).to.equal(true);
    });
  }

  it('refuses addresses, folders, and places below a file', () => {
    for (const address of ['https://x.y/z', 'npm:points']) {
      expect(failure(address)).to.include({ code: 'CONFIG_INVALID' });
      expect(failure(address).message).to.match(/is an address/);
    }
    expect(failure(folder).message).to.match(/is no file/);
    const below = path.join(inside('data', 'a file'), 'points.safetensors');
    expect(failure(below)).to.include({ code: 'CONFIG_INVALID' });
    expect(failure(below).message).to.match(/cannot be used: ENOTDIR/);
    expect(failure(`${inside('new')}/`)).to.include({ code: 'FILE_NOT_WRITABLE' });
  });

  it('passes on what the data set itself throws', () => {
    const generate = () => {
      throw new RangeError('no numbers');
    };
    expect(() => generateData(inside('none'), { ...numbers(), generate })).to.throw(RangeError, 'no numbers');
  });

  // Each of the plugins that generate their data, with what a user might name by mistake.
  for (const [plugin, model, args] of [
    ['simple_nn', { inputDim: 10, outputDim: 2 }, { numSamples: 50 }],
    ['transformer_text_plugin', { vocabSize: 5000, outputDim: 2, embeddingDim: 8 }, { numSamples: 50 }],
  ] as const) {
    describe(plugin, () => {
      const experiment = (dataPath: string) => {
        const config = { experimentName: 'x', modelPlugin: plugin, datasetPlugin: plugin, dataPath, model };
        const preprocessArgs = plugin === 'simple_nn' ? {} : { maxSeqLen: 128 };
        const file = path.join(folder, `${plugin}.json`);
        writeFileSync(file, JSON.stringify({ ...config, preprocessArgs, datasetArgs: args, training: { epochs: 1 } }));
        return loadExperimentConfig(file);
      };

      it('never writes over a file that it did not make', async () => {
        const thesis = inside(`thesis-${plugin}.txt`, 'years of work');
        const failed = await failureOf(runIn(path.join(folder, 'runs'), experiment(thesis)));
        expect(failed).to.include({ code: 'CONFIG_INVALID' });
        expect(failed.message)
          .to.match(new RegExp(`is not one that ${plugin} made`))
          .and.to.include(thesis);
        expect(readFileSync(thesis, 'utf8')).to.equal('years of work');
      });

      it('reads its own file again', async () => {
        const file = inside(`own-${plugin}.safetensors`);
        mkdirSync(path.join(folder, 'runs'), { recursive: true });
        await runIn(path.join(folder, 'runs'), experiment(file));
        const { ino } = statSync(file);
        await runIn(path.join(folder, 'runs'), experiment(file));
        expect(statSync(file).ino).to.equal(ino);
      });
    });
  }
});
