/** What objects of our classes were made with: a worker makes them again with those arguments. */
export interface Remembered {
  readonly name: string;
  readonly args: readonly unknown[];
}

const remembered = new WeakMap<object, Remembered>();

/** To be called at the end of a constructor, unless another class extends it, which may need more. */
export function rememberArguments(made: object, name: RememberedName, args: ArrayLike<unknown>): void {
  remembered.set(made, { name, args: Array.from(args) });
}

export const rememberedOf = (made: object): Remembered | undefined => remembered.get(made);

type Class = new (...args: never[]) => object;

/** The classes that a worker makes in this way; it loads those that it is asked for. */
export const rememberedClasses = {
  ArrowReader: async (): Promise<Class> => (await import('../readers/arrowReader.js')).ArrowReader,
  CsvReader: async (): Promise<Class> => (await import('../readers/csvReader.js')).CsvReader,
  IdxReader: async (): Promise<Class> => (await import('../readers/idx.js')).IdxReader,
  ImageFolder: async (): Promise<Class> => (await import('../readers/imageFolder.js')).ImageFolder,
  JsonLinesReader: async (): Promise<Class> => (await import('../readers/jsonLinesReader.js')).JsonLinesReader,
  NpyReader: async (): Promise<Class> => (await import('../readers/npy.js')).NpyReader,
  ParquetReader: async (): Promise<Class> => (await import('../readers/parquetReader.js')).ParquetReader,
  ShardedDataset: async (): Promise<Class> => (await import('../shards/shardedDataset.js')).ShardedDataset,
  TableDataset: async (): Promise<Class> => (await import('../readers/tableDataset.js')).TableDataset,
  TarReader: async (): Promise<Class> => (await import('../readers/tarReader.js')).TarReader,
  TextFolder: async (): Promise<Class> => (await import('../readers/textFolder.js')).TextFolder,
  TextReader: async (): Promise<Class> => (await import('../readers/textReader.js')).TextReader,
  WavReader: async (): Promise<Class> => (await import('../readers/wavReader.js')).WavReader,
};
export type RememberedName = keyof typeof rememberedClasses;

export const isRememberedName = (name: string): name is RememberedName => Object.hasOwn(rememberedClasses, name);
