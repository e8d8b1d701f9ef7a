import { kind, positive } from '../kinds.js';

/** C10d counts in nanoseconds of 64 bits. */
const longestMs = 1e12;

/** How long to wait, in ms. */
export const timeoutKind = kind<number>(
  'a number above 0, at most 1e12, in ms',
  (value) => positive.accepts(value) && (value as number) <= longestMs,
);

/** As the addon takes a time: whole ms. */
export const wholeMs = (timeoutMs: number | null | undefined): number | null =>
  timeoutMs === undefined || timeoutMs === null ? null : Math.ceil(timeoutMs);
