export { defaultCollate, type Collated } from './collate.js';
export { DataLoader, type DataLoaderOptions } from './dataLoader.js';
export { randomSplit, Subset, TensorDataset, type Dataset } from './dataset.js';
export {
  BatchSampler,
  DistributedSampler,
  RandomSampler,
  SequentialSampler,
  type DistributedSamplerOptions,
  type RandomSamplerOptions,
  type Sampler,
} from './samplers.js';
