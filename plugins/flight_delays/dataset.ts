import { AiforgeError, BaseDataset, data, Generator, randperm, resolveData, validate, type LoadContext, type Tensor } from 'aiforge'; // prettier-ignore
import { z } from 'zod';

/** Some flights, column by column; what is to be told is missing where it is asked for. */
export interface Item {
  /** Minutes late at the end, negative if early. */
  delay?: Tensor;
  /** Miles. */
  distance: Tensor;
  origin: string[];
  destination: string[];
  /** Of the day, in the time of the data. */
  hour: Tensor;
  /** Since 1970. */
  day: Tensor;
}

const Args = z.strictObject({
  flights: z.int().min(100).nullable().default(null).describe('Use so many, picked at random; null for all; default null'),
  block: z.int().min(1).default(64).describe('Flights of one item; default 64'),
}); // prettier-ignore

const [hour, day] = [3_600_000_000, 86_400_000_000];

/**
 * Flights in the United States in 2001. An item is a block of flights that have nothing to do with each other: one by one, three million
 * would be slow.
 *
 * `dataPath` is the Parquet file, or `npm:vega-datasets` for the one in the installed package. `datasetArgs`: `flights`, `block`.
 */
export class Dataset extends BaseDataset<Item> {
  private table!: { date: Tensor; delay: Tensor; distance: Tensor; origin: string[]; destination: string[] };
  private order!: Tensor;
  private block = 0;

  get length(): number {
    return Math.floor(this.order.size(0) / this.block);
  }

  get(index: number): Item {
    const rows = this.order.narrow(0, index * this.block, this.block);
    const { date, delay, distance, origin, destination } = this.table;
    const at = date.indexSelect(0, rows);
    const places = rows.tolist<number[]>();
    return {
      delay: delay.indexSelect(0, rows),
      distance: distance.indexSelect(0, rows),
      origin: places.map((row) => origin[row]!),
      destination: places.map((row) => destination[row]!),
      hour: at.remainder(day).div(hour, { roundingMode: 'floor' }),
      day: at.div(day, { roundingMode: 'floor' }),
    };
  }

  async loadData(dataPath: string, { args, logger }: LoadContext): Promise<void> {
    const { flights, block } = validate(Args, args, { source: 'the experiment', under: ['datasetArgs'] });
    const file = resolveData(dataPath, 'data/flights-3m.parquet');
    const columns = ['date', 'delay', 'distance', 'origin', 'destination'];
    this.table = (await new data.ParquetReader(file, { columns }).read()) as typeof this.table;
    const all = this.table.origin.length;
    if ((flights ?? block) > all || block > (flights ?? all)) {
      throw new AiforgeError('CONFIG_INVALID', `datasetArgs asks for ${flights ?? 'all'} flights in blocks of ${block}, and ${file} has ${all}.`); // prettier-ignore
    }
    // The same blocks whatever the experiment's seed.
    this.order = randperm(all, { generator: new Generator().manualSeed(1) }).narrow(0, 0, flights ?? all);
    this.block = block;
    logger.info(`Read ${all} flights, of which ${this.length * block} are used`);
  }
}
