import pc from 'picocolors';
import type { Colors } from 'picocolors/types.js';

import { AiforgeError } from '../errors.js';
import { foreignFrames, isFrame } from '../stack.js';

/**
 * What a command shows of the error that ends it: what is wrong, and the lines of a plugin in which it is. An error that is no
 * AiforgeError and comes from no plugin has its whole stack.
 */
export function explain(error: unknown, color: Colors = pc): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? '';
  const frames = process.env.AIFORGE_STACK === 'full' ? stack.split('\n').filter(isFrame) : linesOfPlugin(stack);
  const isExpected = error instanceof AiforgeError;
  if (!isExpected && frames.length === 0) return stack || error.message;
  const headline = isExpected
    ? `${color.red(error.code)} ${error.message}`
    : `${color.red(`${error.name}:`)} ${error.message}`;
  return [headline, ...frames.map((frame) => color.dim(frame))].join('\n');
}

/** All that stands between the command and a plugin is the library's, but for these two packages. */
function linesOfPlugin(stack: string): string[] {
  return foreignFrames(stack).filter((frame) => !/[\\/]node_modules[\\/](commander|jiti)[\\/]/.test(frame));
}
