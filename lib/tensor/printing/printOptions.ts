import { AiforgeError } from '../../errors.js';
import { boolean, number, oneOf, orNull } from '../../kinds.js';
import { show } from '../../show.js';
import { nothing, signature } from '../../signature.js';

export interface PrintOptions {
  /** Digits after the point. Default: 4. */
  precision: number;
  /** Above so many elements only the edges of each dimension are shown. Default: 1000. */
  threshold: number;
  /** How many elements are shown at each edge. Default: 3. */
  edgeitems: number;
  /** Characters in a line. Default: 80. */
  linewidth: number;
  /** Whether floats are written with exponents; null: where their range asks for it. Default: null. */
  sciMode: boolean | null;
}

const defaults: Readonly<PrintOptions> = { precision: 4, threshold: 1000, edgeitems: 3, linewidth: 80, sciMode: null };

const profiles = {
  default: {},
  short: { precision: 2, edgeitems: 2 },
  full: { threshold: Infinity },
} as const;

type SetPrintOptions = Partial<PrintOptions> & { profile?: keyof typeof profiles };

const setPrintOptionsTakes = signature<SetPrintOptions>(
  {},
  {
    precision: number,
    threshold: number,
    edgeitems: number,
    linewidth: number,
    profile: oneOf('default', 'short', 'full'),
    sciMode: orNull(boolean),
  },
);

let current: Readonly<PrintOptions> = defaults;

/**
 * How tensors are printed now. As `torch.get_printoptions`.
 *
 * @example
 * import { getPrintOptions } from 'aiforge';
 * getPrintOptions().linewidth; // 80
 */
export function getPrintOptions(): PrintOptions {
  nothing.check('getPrintOptions', arguments);
  return { ...current };
}

function check(name: keyof PrintOptions, value: number, least: number, greatest: number): void {
  const isWhole = Number.isInteger(value) || value === Infinity;
  if (isWhole && value >= least && value <= greatest) return;
  const range = greatest === Infinity ? `at least ${least}` : `${least} to ${greatest}`;
  throw new AiforgeError('INVALID_ARGUMENT', `setPrintOptions: ${name} must be ${range}, got ${show(value)}.`);
}

/**
 * Sets how tensors are printed in this thread; what is left out stays, but for `sciMode`, which goes back to null. The
 * profiles `'default'`, `'short'` (2 digits, 2 edge items) and `'full'` (no summary) set all numbers first. As
 * `torch.set_printoptions`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for unknown profiles and numbers out of range.
 * @example
 * import { setPrintOptions, tensor } from 'aiforge';
 * setPrintOptions({ precision: 2 });
 * String(tensor([1.12345])); // tensor([1.12])
 * setPrintOptions({ profile: 'default' });
 */
export function setPrintOptions(options: SetPrintOptions = {}): void {
  setPrintOptionsTakes.check('setPrintOptions', arguments);
  const { profile } = options;
  const base = profile === undefined ? current : { ...defaults, ...profiles[profile] };
  const {
    precision = base.precision,
    threshold = base.threshold,
    edgeitems = base.edgeitems,
    linewidth = base.linewidth,
    sciMode = null,
  } = options;
  check('precision', precision, 0, 100);
  check('threshold', threshold, 0, Infinity);
  check('edgeitems', edgeitems, 0, 2 ** 31);
  check('linewidth', linewidth, 1, Infinity);
  current = { precision, threshold, edgeitems, linewidth, sciMode };
}
