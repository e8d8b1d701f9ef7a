import { setNumThreads } from 'aiforge';

// PyTorch's bits depend on the number of threads; what is recorded from it, and what runs live, has one.
export const mochaHooks = {
  beforeAll(): void {
    setNumThreads(1);
  },
};
