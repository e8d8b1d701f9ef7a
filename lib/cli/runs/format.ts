import path from 'node:path';

/** A metric's value, with four digits behind the point where that shows it. */
export function shownNumber(value: number | undefined): string {
  if (value === undefined) return '–';
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-3)) return value.toExponential(3).replace('e+', 'e');
  return Number.isInteger(value) ? String(value) : value.toFixed(4);
}

/** Such as `45s`, `12m 30s`, `3h 05m`. */
export function shownDuration(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
  return `${Math.floor(whole / 3600)}h ${two(Math.floor((whole % 3600) / 60))}m`;
}

/** A setting's value in one line. */
export const shownSetting = (value: unknown): string =>
  value === undefined ? '–' : typeof value === 'string' ? value : JSON.stringify(value);

/** A path as short as it can be given from here. */
export const shownPath = (file: string): string => {
  const relative = path.relative(process.cwd(), file) || '.';
  return relative.startsWith(`..${path.sep}..`) ? path.resolve(file) : relative;
};

/** How wide a line may be: as the terminal is, and no wider than is easily read. */
export function lineWidth(stream: NodeJS.WriteStream = process.stdout): number {
  const columns = stream.columns ?? Number(process.env.COLUMNS ?? 80);
  return Math.min(Math.max(Number.isSafeInteger(columns) ? columns : 80, 30), 100);
}

/** Whether lines are to fit a terminal: one that is there, or that COLUMNS tells of. */
export const isOfTerminal = (): boolean => process.stdout.isTTY || process.env.COLUMNS !== undefined;

/** A text cut to a width, its end kept: names of runs differ there. */
export const cutStart = (text: string, width: number): string =>
  text.length <= width ? text : `…${text.slice(text.length - width + 1)}`;

/** A text cut to a width. */
export const cutEnd = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, width - 1)}…`;
