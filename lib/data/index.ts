export { cache, type CachedDataset, type CacheOptions } from './cachedDataset.js';
export { defaultCollate, type Collated } from './collate.js';
export { ConcatDataset } from './concatDataset.js';
export { DataLoader, type DataLoaderOptions } from './dataLoader.js';
export { padCollate, type Padded, type PadOptions } from './padCollate.js';
export { randomSplit, Subset, type Dataset, type SampleContext, type Samples } from './dataset.js';
export { fromModule, type FromModuleOptions } from './fromModule.js';
export type { LoaderState } from './loading/loaderState.js';
export { CsvReader, type CsvOptions } from './readers/csvReader.js';
export { IdxReader, readIdx } from './readers/idx.js';
export { JsonLinesReader, type JsonLinesOptions } from './readers/jsonLinesReader.js';
export { NpyReader, readNpy, readNpz, type NpzOptions } from './readers/npy.js';
export {
  TableReader,
  type ColumnType,
  type MissingValue,
  type TableColumns,
  type TableOptions,
  type TableRow,
} from './readers/table.js';
export { TableDataset } from './readers/tableDataset.js';
export { TextFolder, type TextFolderOptions } from './readers/textFolder.js';
export { TextReader } from './readers/textReader.js';
export { moveToDevice, type MoveOptions } from './moveToDevice.js';
export { decodeImage, type DecodeImageOptions, type ImageMode } from './readers/decodeImage.js';
export { ImageFolder, type ImageFolderOptions } from './readers/imageFolder.js';
export { readWav, WavReader, type ReadWavOptions, type Sound, type WavReaderOptions } from './readers/wavReader.js';
export type { WavInfo } from './readers/wavFormat.js';
export { SqlReader, type SqlConnection, type SqlReaderOptions } from './readers/sqlReader.js';
export { TarReader, type TarDecoder, type TarReaderOptions, type TarSample } from './readers/tarReader.js';
export { ArrowReader, type ArrowReaderOptions } from './readers/arrowReader.js';
export { ParquetReader, type ParquetReaderOptions } from './readers/parquetReader.js';
export type { TimeUnit } from './readers/wholeNumbers.js';
export {
  BatchSampler,
  DistributedSampler,
  RandomSampler,
  SequentialSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
  type BatchOrder,
  type DistributedSamplerOptions,
  type RandomSamplerOptions,
  type Sampler,
  type SubsetRandomSamplerOptions,
  type WeightedRandomSamplerOptions,
} from './samplers.js';
export { ShardedDataset, type ShardedDatasetOptions, type ShardedSample } from './shards/shardedDataset.js';
export { ShardWriter, type ShardWriterOptions } from './shards/shardWriter.js';
export { verifyShards, type ShardReport } from './shards/verifyShards.js';
export type { FieldForm } from './shards/shardIndex.js';
export { StackDataset, type Stacked } from './stackDataset.js';
export { StreamDataset, type Position, type SampleReader, type Stream, type StreamContext } from './stream.js';
export { TensorDataset } from './tensorDataset.js';
export { batch, window, type BatchOptions, type WindowOptions } from './streams/group.js';
export { filter, map, type Transform } from './streams/map.js';
export { ChainDataset, mix, zip, type MixOptions, type Zipped } from './streams/several.js';
export { shuffle } from './streams/shuffle.js';
export {
  LengthGroupedSampler,
  TokenBudgetBatchSampler,
  type LengthGroupedOptions,
  type Lengths,
  type TokenBudgetOptions,
} from './lengthSamplers.js';
