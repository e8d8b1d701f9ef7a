import { readFile } from 'node:fs/promises';
import { AiforgeError, BaseDataset, resolveData, type LoadContext } from 'aiforge';
import { z } from 'zod';

/** What is known of a car, null where it is not; `milesPerGallon` is missing where it is asked for. */
export interface Item {
  cylinders: number | null;
  displacement: number | null;
  horsepower: number | null;
  weight: number | null;
  acceleration: number | null;
  year: number;
  origin: string;
  milesPerGallon?: number;
}

const number = z.number().nullable();

const Cars = z.array(
  z.object({
    Miles_per_Gallon: number,
    Cylinders: number,
    Displacement: number,
    Horsepower: number,
    Weight_in_lbs: number,
    Acceleration: number,
    Year: z.iso.date(),
    Origin: z.string(),
  }),
);

/**
 * The cars of `cars.json` whose mileage is known. `dataPath` is the file, or `npm:vega-datasets` for the one in the installed package.
 */
export class Dataset extends BaseDataset<Item> {
  private cars: Item[] = [];

  get length(): number {
    return this.cars.length;
  }

  get(index: number): Item {
    return this.cars[index]!;
  }

  async loadData(dataPath: string, { logger }: LoadContext): Promise<void> {
    const file = resolveData(dataPath, 'data/cars.json');
    const text = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw missing(dataPath, `there is no file ${file}`, cause);
    });
    const cars = parse(file, text);
    this.cars = cars.flatMap(({ Miles_per_Gallon: milesPerGallon, ...car }) =>
      milesPerGallon === null ? [] : [{ ...itemOf(car), milesPerGallon }],
    );
    logger.info(`Read ${this.cars.length} cars; the mileage of ${cars.length - this.cars.length} others is not known`);
  }
}

type Car = z.infer<typeof Cars>[number];

const itemOf = (car: Omit<Car, 'Miles_per_Gallon'>): Item => ({
  cylinders: car.Cylinders,
  displacement: car.Displacement,
  horsepower: car.Horsepower,
  weight: car.Weight_in_lbs,
  acceleration: car.Acceleration,
  year: Number(car.Year.slice(0, 4)),
  origin: car.Origin,
});

function parse(file: string, text: string): Car[] {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (cause) {
    throw new AiforgeError('FILE_INVALID', `${file} is no JSON: ${(cause as Error).message}.`, { cause });
  }
  const result = Cars.safeParse(given);
  if (result.success) return result.data;
  throw new AiforgeError('FILE_INVALID', `${file} is no list of cars:\n${z.prettifyError(result.error)}`);
}

/** A package need not export its package.json, so the folder is looked for in the places where Node looks. */
function missing(dataPath: string, reason: string, cause?: unknown): AiforgeError {
  return new AiforgeError(
    'FILE_NOT_FOUND',
    `The cars at dataPath '${dataPath}' were not found: ${reason}. Install them with: npm install vega-datasets`,
    { cause },
  );
}
