import { describeAsInPython } from './inPython.mjs';

describe('DistributedDataParallel, as in Python', function () {
  this.timeout(180_000);

  describeAsInPython('parallel', {
    2: [
      'heads in an array',
      'heads in a map',
      'heads in nested objects',
      'buffers',
      'gradients filled with zeros',
      'sparse gradients',
    ],
    3: ['buckets of the default size', 'buckets of a size', 'buckets of a size, searched'],
  });
});

describe('DistributedDataParallel with its options and hooks, as in Python', function () {
  this.timeout(180_000);

  describeAsInPython('ways', {
    2: [
      'plain',
      'gradients as views',
      'changing unused parameters',
      'shared parameters',
      'accumulates',
      'embeddings',
      'buffers',
      'buffers of each rank',
      'buffers of rank 0 at first',
      'without a look at the start',
      'buckets of sizes',
      'gradients copied together',
      'unused parameters that are not sent',
      'ignored parameters',
      'a static graph',
      'a static graph with checkpoints',
      'a static graph with reentrant checkpoints',
      'checkpoints and unused parameters',
      'hook allreduce',
      'hook fp16',
      'hook bf16',
      'hook powerSGD',
      'hook powerSGD in several buckets',
      'hook powerSGD of rank 2',
      'hook powerSGD of rank 3, together',
      'hook powerSGD without memory',
      'uneven inputs',
      'uneven inputs, divided by who is left',
      'uneven inputs with buffers',
      'uneven inputs with unused parameters',
      'uneven inputs that stop all',
      'logging data',
      'accumulates, beside',
      'buffers, beside',
      'changing unused parameters, beside',
      'a static graph with reentrant checkpoints, beside',
      'hook powerSGD, beside',
      'uneven inputs with buffers and accumulation',
    ],
    3: [
      'plain',
      'changing unused parameters',
      'accumulates',
      'ignored parameters',
      'a static graph with checkpoints',
      'hook fp16',
      'hook powerSGD of rank 2',
      'uneven inputs, divided by who is left',
      'uneven inputs with buffers',
      'uneven inputs with unused parameters',
    ],
  });
});

describe('DistributedDataParallel over some of the ranks, as in Python', function () {
  this.timeout(180_000);

  describeAsInPython('ways', { 3: ['a sub-group'] }, { mixes: false });
});
