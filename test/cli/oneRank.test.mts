import { readdirSync } from 'node:fs';
import path from 'node:path';

import { cuda, loadSafetensors } from 'aiforge';
import { expect } from 'chai';

import { hashOf } from '../cuda/gpu.mjs';
import { run, temporaryFolder } from '../support/project.mjs';

describe('aiforge-launch train on one rank', function () {
  this.timeout(120_000);
  const folder = temporaryFolder('one-rank');

  function weights(runs: string): Record<string, string> {
    const experiment = path.join(runs, 'runs', 'simple_nn');
    const [name] = readdirSync(experiment);
    const { tensors } = loadSafetensors(path.join(experiment, name!, 'last.safetensors'));
    const model = Object.entries(tensors).filter(([key]) => key.startsWith('model.'));
    expect(model).not.to.have.length(0);
    return Object.fromEntries(model.map(([key, tensor]) => [key, hashOf(tensor)]));
  }

  for (const device of ['cpu', 'cuda']) {
    it(`on ${device} ends with the bytes of aiforge train`, async function () {
      if (device === 'cuda' && !cuda.isAvailable()) {
        console.log('      skipped: no CUDA device can be used here');
        return this.skip();
      }
      const inside = (name: string) => path.join(folder, `${device}-${name}`);
      const data = [`dataPath=${path.join(folder, 'points.safetensors')}`, 'datasetArgs.numSamples=400'];
      const training = ['training.epochs=2', 'training.numThreads=1', `training.device=${device}`];
      const args = ['train', 'experiments/simple_nn.yaml', ...data, ...training];
      const alone = await run('aiforge', args, inside('alone'));
      const launched = await run('aiforge-launch', ['--nproc', '1', ...args], inside('launched'));
      for (const { status, stdout, stderr } of [alone, launched]) {
        expect(status, stderr).to.equal(0);
        expect(stdout).to.include(` on ${device}; `);
      }
      expect(weights(inside('launched'))).to.deep.equal(weights(inside('alone')));
    });
  }
});
