import { z } from 'zod';

const given = ['scale', 'step', 'integer'] as const;

/** What a setting may be in a sweep: one of some values, or a number from a range. */
export const Parameter = z
  .strictObject(
    {
      values: z.array(z.unknown()).min(1).optional().describe('The values to try'),
      min: z.number().optional().describe('The least value of a range'),
      max: z.number().optional().describe('The largest value of a range'),
      scale: z
        .enum(['linear', 'log'])
        .optional()
        .describe("How a range is drawn from: evenly ('linear'), or evenly in its logarithm ('log'); default linear"),
      step: z.number().positive().optional().describe('Distance of the values of a range, counted from min'),
      integer: z.boolean().optional().describe('Whole numbers of a range alone; default false'),
    },
    { error: ({ input }) => (Array.isArray(input) ? 'expected { values: […] }, with the list in it' : undefined) },
  )
  .superRefine((parameter, context) => {
    const problem = problemOf(parameter);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });
export type Parameter = z.infer<typeof Parameter>;

interface Range {
  min: number;
  max: number;
  scale: 'linear' | 'log';
  step: number | undefined;
  integer: boolean;
}

function problemOf(parameter: Partial<z.infer<typeof Parameter>>): string | undefined {
  const { values, min, max, scale, step, integer } = parameter;
  if (values !== undefined) {
    const extra = [...(['min', 'max'] as const), ...given].find((key) => parameter[key] !== undefined);
    if (extra !== undefined) return `expected values or a range, not both: leave ${extra} out`;
    return values.every(isSetting) ? undefined : 'expected values that YAML can hold, and no infinities';
  }
  if (min === undefined || max === undefined) return 'expected values: […], or min and max';
  if (min >= max) return 'expected min to be less than max';
  if (scale === 'log' && min <= 0) return 'expected min above 0 where scale is log';
  if (scale === 'log' && step !== undefined) return 'expected no step where scale is log';
  if (integer && ![min, max, step ?? 1].every(Number.isInteger))
    return 'expected min, max and step to be whole numbers';
  return undefined;
}

/** What a setting can be given on a command line. */
function isSetting(value: unknown): boolean {
  if (value === null || ['string', 'boolean'].includes(typeof value)) return true;
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'object' && Object.values(value).every(isSetting);
}

/** All values of a parameter, in order; undefined for a range without steps, which has too many. */
export function gridOf(parameter: Parameter): unknown[] | undefined {
  if (parameter.values !== undefined) return parameter.values;
  const range = rangeOf(parameter);
  const step = stepOf(range);
  if (step === undefined || range.scale === 'log') return undefined;
  return Array.from({ length: countOf(range, step) }, (_, k) => rounded(range.min + k * step));
}

/** The value at a place from 0 to under 1: evenly drawn places give the values that the parameter describes. */
export function valueAt(parameter: Parameter, place: number): unknown {
  const { values } = parameter;
  if (values !== undefined) return values[Math.floor(place * values.length)];
  const range = rangeOf(parameter);
  const { min, max } = range;
  const step = stepOf(range);
  if (range.scale === 'log') {
    // Each whole number stands for itself up to the next one.
    const end = range.integer ? max + 1 : max;
    const drawn = min * (end / min) ** place;
    return range.integer ? Math.min(Math.floor(drawn), max) : within(range, rounded(drawn));
  }
  if (step !== undefined) return rounded(min + step * Math.floor(place * countOf(range, step)));
  return within(range, rounded(min + place * (max - min)));
}

function rangeOf({ min, max, scale = 'linear', step, integer = false }: Parameter): Range {
  return { min: min!, max: max!, scale, step, integer };
}

const stepOf = ({ step, integer }: Range): number | undefined => step ?? (integer ? 1 : undefined);

// A step such as 0.1 is no sum of powers of two: its multiples miss the end by a little.
const countOf = ({ min, max }: Range, step: number): number => Math.floor((max - min) / step + 1e-9) + 1;

/** To six digits, which is as far as a person reads them. */
const rounded = (value: number): number => (Number.isInteger(value) ? value : Number(value.toPrecision(6)));

const within = ({ min, max }: Range, value: number): number => Math.min(max, Math.max(min, value));
