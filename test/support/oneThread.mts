import { setNumThreads } from 'aiforge';

// What the tests start has one thread by OMP_NUM_THREADS, which this variable would override.
delete process.env.AIFORGE_NUM_THREADS;

// PyTorch's bits depend on the number of threads; what is recorded from it, and what runs live, has one.
export const mochaHooks = {
  beforeAll(): void {
    setNumThreads(1);
  },
};
