import pc from 'picocolors';
import type { Colors } from 'picocolors/types.js';

import { AiforgeError, type ErrorCode } from '../errors.js';
import { showThrown } from '../show.js';
import { foreignFrames, isFrame } from '../stack.js';
import { isError } from '../realms.js';

/** Their messages name the setting, the file or the plugin that is to be mended; it is in no line of code. */
const foreseen: ReadonlySet<string> = new Set<ErrorCode>([
  'CONFIG_INVALID',
  'FILE_NOT_FOUND',
  'FILE_INVALID',
  'PLUGIN_NOT_FOUND',
  'RUN_INTERRUPTED',
]);

/**
 * What a command shows of the error that ends it: what is wrong, and the lines of a plugin in which it is. An error that is no
 * AiforgeError and comes from no plugin has its whole stack.
 */
export function explain(error: unknown, color: Colors = pc): string {
  if (!isError(error)) return showThrown(error);
  const stack = error.stack ?? '';
  const isExpected = error instanceof AiforgeError;
  const frames = isExpected && foreseen.has(error.code) ? [] : framesOf(stack);
  if (!isExpected && frames.length === 0) return stack || error.message;
  const headline = isExpected
    ? `${color.red(error.code)} ${error.message}`
    : `${color.red(`${error.name}:`)} ${error.message}`;
  const causes = isExpected ? [] : causesOf(error).map((cause) => `    Caused by: ${cause}`);
  return [headline, ...frames.map((frame) => color.dim(frame)), ...causes].join('\n');
}

const mostCauses = 5;

/** What an error of a plugin says that it comes of, the nearest first. Errors of the library have it in their own words. */
function causesOf(error: Error): string[] {
  const texts: string[] = [];
  // Causes may lead round in a ring.
  for (const next of chain(error))
    if (texts.push(isError(next) ? String(next) : showThrown(next)) === mostCauses) break;
  return texts;
}

function* chain(error: unknown): Generator<unknown> {
  if (!isError(error)) return;
  const members: unknown[] = error.name === 'AggregateError' ? (error as AggregateError).errors : [];
  for (const next of error.cause === undefined ? members : [...members, error.cause]) {
    yield next;
    yield* chain(next);
  }
}

/** All that stands between the command and a plugin is the library's, but for these two packages. */
function framesOf(stack: string): string[] {
  if (process.env.AIFORGE_STACK === 'full') return stack.split('\n').filter(isFrame);
  return foreignFrames(stack).filter((frame) => !/[\\/]node_modules[\\/](commander|jiti)[\\/]/.test(frame));
}
