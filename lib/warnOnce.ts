import { logger } from './log.js';

const given = new Set<string>();

/** Writes a warning to the log the first time that it is given: layers would else repeat it at every step. */
export function warnOnce(message: string): void {
  if (given.has(message)) return;
  given.add(message);
  logger.warn(message);
}
