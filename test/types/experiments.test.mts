import path from 'node:path';

import {
  Container,
  defineExperiment,
  loadExperimentConfig,
  ModelConfig,
  type ExperimentConfig,
  type ExperimentInput,
  type SimpleNNConfig,
} from 'aiforge';
import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { z } from 'zod';

import { temporaryFolder, writeFiles } from '../support/project.mjs';
import { refusalOf } from '../support/refusal.mjs';

const Config = ModelConfig.extend({ width: z.int(), kind: z.enum(['a', 'b']).default('a') });
const head = { experimentName: 'x', modelPlugin: './m', datasetPlugin: 'd', dataPath: './p' };

describe('defineExperiment', () => {
  const folder = temporaryFolder('define');

  it("types the model by the plugin's schema, and everything else", () => {
    const config = defineExperiment<typeof Config>({ ...head, model: { width: 4 }, training: { epochs: 2 } });
    expect(Config.parse(config.model)).to.deep.equal({ width: 4, kind: 'a' });
    expectTypeOf(config).toExtend<ExperimentConfig>();
    expectTypeOf(config.model.width).toEqualTypeOf<number>();
    expectTypeOf(config.training.batchSize).toEqualTypeOf<number>();
    expectTypeOf<ExperimentInput<typeof Config>['model']>().toEqualTypeOf<{
      width: number;
      kind?: 'a' | 'b' | undefined;
    }>();
    expectTypeOf<ExperimentInput<typeof SimpleNNConfig>['model']['inputDim']>().toEqualTypeOf<number>();
    // Never called: the compiler is what refuses these.
    void (() => {
      // @ts-expect-error the model has no depth
      defineExperiment<typeof Config>({ ...head, model: { width: 4, depth: 2 } });
      // @ts-expect-error a width is a number
      defineExperiment<typeof Config>({ ...head, model: { width: 'wide' } });
      // @ts-expect-error it must be given
      defineExperiment<typeof Config>({ ...head, model: {} });
      // @ts-expect-error and so must the model, then
      defineExperiment<typeof Config>(head);
      // @ts-expect-error training has no epoch
      defineExperiment({ ...head, training: { epoch: 2 } });
      // @ts-expect-error without a path of the data
      defineExperiment({ experimentName: 'x', modelPlugin: 'm', datasetPlugin: 'd' });
      defineExperiment({ ...head, model: { anything: 1 } });
    });
  });

  it('fills the defaults in, and is what a container takes', () => {
    const config = defineExperiment({ ...head, training: { epochs: 2 } });
    expect(config.training).to.include({ epochs: 2, batchSize: 32 });
    const container = new Container();
    container.experimentConfig.override(config);
    expect(container.experimentConfig()).to.equal(config);
  });

  it('is what loadExperimentConfig reads, with what is given told from defaults', () => {
    writeFiles(folder, {
      'd.ts': `import { defineExperiment } from 'aiforge';
        export const config = defineExperiment({ ...${JSON.stringify(head)}, training: { epochs: 2 } });`,
      'e.yaml': 'extends: base.yaml\n',
      'base.yaml': 'extends: d.ts\n',
    });
    const config = loadExperimentConfig(path.join(folder, 'e.yaml'), ['training.seed=1']);
    expect(config).to.include({ modelPlugin: path.join(folder, 'm'), dataPath: path.join(folder, 'p') });
    expect(config.training).to.include({ epochs: 2, seed: 1 });
  });

  it('refuses what is wrong where it is made', () => {
    const wrong = { ...head, training: { epochs: 0 } };
    expect(refusalOf(() => defineExperiment(wrong)).message).to.match(
      /^the experiment has 1 problem:\n {2}training\.epochs: got 0/,
    );
    expect(refusalOf(() => defineExperiment('x' as never)).message).to.match(/experiment must be an object/);
    writeFiles(folder, {
      'w.ts': `import { defineExperiment } from 'aiforge'; export default defineExperiment({ ...${JSON.stringify(wrong)} });`,
    });
    expect(refusalOf(() => loadExperimentConfig(path.join(folder, 'w.ts'))).message).to.match(
      /w\.ts could not be run: .*\n.*training\.epochs: got 0/,
    );
  });
});
