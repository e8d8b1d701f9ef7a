export { defaultCollate, type Collated } from './collate.js';
export { ConcatDataset } from './concatDataset.js';
export { DataLoader, type DataLoaderOptions } from './dataLoader.js';
export { randomSplit, Subset, type Dataset, type Samples } from './dataset.js';
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
  type DistributedSamplerOptions,
  type RandomSamplerOptions,
  type Sampler,
  type SubsetRandomSamplerOptions,
  type WeightedRandomSamplerOptions,
} from './samplers.js';
export { StackDataset, type Stacked } from './stackDataset.js';
export { TensorDataset } from './tensorDataset.js';
