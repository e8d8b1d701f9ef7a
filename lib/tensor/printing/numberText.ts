// Numbers as Python writes them: a tie is rounded to the even digit, where JavaScript takes the greater one.

/** Of a decimal text that is exact, the one rounded to `precision` digits if it is a tie whose last digit stays. */
function withEvenTies(rounded: string, exact: string, precision: number): string {
  const found = /^(\d+)\.(\d+)(e.*)?$/.exec(exact);
  if (found === null) return rounded;
  const [, whole, fraction, exponent = ''] = found as unknown as [string, string, string, string?];
  const kept = fraction.slice(0, precision);
  const last = precision === 0 ? whole.at(-1)! : kept.at(-1)!;
  if (!/^50*$/.test(fraction.slice(precision)) || !'02468'.includes(last)) return rounded;
  return precision === 0 ? whole + exponent : `${whole}.${kept}${exponent}`;
}

function signed(value: number, text: string): string {
  return value < 0 || Object.is(value, -0) ? `-${text}` : text;
}

/** As Python's `f"{value:.4f}"`. */
export function fixed(value: number, precision: number): string {
  const size = Math.abs(value);
  // From there on toFixed gives an exponent; all such numbers are whole.
  if (size >= 1e21) return signed(value, `${BigInt(size)}${precision === 0 ? '' : `.${'0'.repeat(precision)}`}`);
  return signed(value, withEvenTies(size.toFixed(precision), size.toFixed(100), precision));
}

/** As Python's `f"{value:.4e}"`. */
export function exponential(value: number, precision: number): string {
  const size = Math.abs(value);
  const text = withEvenTies(size.toExponential(precision), size.toExponential(100), precision);
  return signed(value, text.replace(/e([+-])(\d)$/, 'e$10$2'));
}

/** As Python's `str(value)` of a float. */
export function pythonFloat(value: number): string {
  if (!Number.isFinite(value)) return special(value)!;
  const size = Math.abs(value);
  const hasExponent = size !== 0 && (size < 1e-4 || size >= 1e16);
  if (hasExponent) return signed(value, size.toExponential().replace(/e([+-])(\d)$/, 'e$10$2'));
  return signed(value, Number.isInteger(size) ? `${size}.0` : String(size));
}

/** What a number that is not finite is called. */
export function special(value: number): string | undefined {
  if (Number.isNaN(value)) return 'nan';
  return Number.isFinite(value) ? undefined : value > 0 ? 'inf' : '-inf';
}
