export { defaultCollate, type Collated } from './collate.js';
export { ConcatDataset } from './concatDataset.js';
export { DataLoader, type DataLoaderOptions } from './dataLoader.js';
export { randomSplit, Subset, type Dataset, type Samples } from './dataset.js';
export { CsvReader, type CsvOptions } from './readers/csvReader.js';
export { JsonLinesReader, type JsonLinesOptions } from './readers/jsonLinesReader.js';
export {
  TableReader,
  type ColumnType,
  type MissingValue,
  type TableColumns,
  type TableOptions,
  type TableRow,
} from './readers/table.js';
export { moveToDevice, type MoveOptions } from './moveToDevice.js';
export {
  BatchSampler,
  DistributedSampler,
  RandomSampler,
  SequentialSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
  type DistributedSamplerOptions,
  type RandomSamplerOptions,
  type Sampler,
  type SubsetRandomSamplerOptions,
  type WeightedRandomSamplerOptions,
} from './samplers.js';
export { StackDataset, type Stacked } from './stackDataset.js';
export { TensorDataset } from './tensorDataset.js';
