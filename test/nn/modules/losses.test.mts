import { getNumThreads, setNumThreads } from 'aiforge';

import { reference } from '../../support/reference.mjs';
import { replay, type Recorded } from '../replay.mjs';

const families = {
  losses: 'losses',
  linear_cross_entropy: 'the cross entropy of a linear layer, whole and in chunks',
  embeddings: 'embeddings and bags of them',
  layers: 'bilinear layers and the adaptive softmax',
};

describe('losses and embeddings over their options, bit by bit as PyTorch', () => {
  let threads: number;
  before(() => {
    threads = getNumThreads();
    setNumThreads(1);
  });
  after(() => setNumThreads(threads));

  for (const [family, what] of Object.entries(families)) {
    it(what, function () {
      const records = JSON.parse(reference(this, 'modules_losses.py', family)) as Recorded[];
      for (const record of records) {
        try {
          replay(record);
        } catch (error) {
          const { module, args, options, dtype = '' } = record;
          const made = JSON.stringify([args, options, record.inputs.map((input) => (input as Recorded)?.module)]);
          (error as Error).message = `${module} ${made} ${dtype}: ${(error as Error).message}`;
          throw error;
        }
      }
    });
  }
});
