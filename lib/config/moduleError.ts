import { dirname } from 'node:path';
import { AiforgeError } from '../errors.js';
import { show } from '../show.js';
import { divideFrames } from '../stack.js';
import { isError } from '../realms.js';
import { foreignZodHint } from './foreignZod.js';

/** Why a module that was loaded by `loadModule` could not be run, with the line where it is not plain. */
export function moduleProblem(error: unknown, file: string): string {
  if (!isError(error)) return `it threw ${show(error)}; throw an Error, which has a line and says why.`;
  const { name, message, stack = '' } = error;
  if (name === 'SyntaxError' && message.startsWith('await is only valid')) {
    return (
      `await stands at the top level of ${/^(.*):\d+$/m.exec(stack)?.[1] ?? file}, and modules are loaded without waiting: ` +
      'await in an asynchronous method such as loadData, where import() gives such a module.'
    );
  }
  const hint = /\bzod\b|_zod\b|\bz\.\w+ is not a function/.test(message) ? foreignZodHint(dirname(file)) : '';
  if (error instanceof AiforgeError) return message + hint;
  // The compiler gives its advice, and the place, in further lines.
  const [first = '', ...further] = message.trim().split('\n');
  const place = first.startsWith('ParseError') ? further.at(-1)?.trim() : lineOf(stack);
  const reason = first.replace(/[.:]?( *\(\d+:\d+\))?[.: ]*$/, '');
  return `${reason}${place === undefined ? '' : ` (${place})`}.${hint}`;
}

/** File and line of the first frame that is the user's. */
function lineOf(stack: string): string | undefined {
  const frame = divideFrames(stack).user.find((line) => !line.includes('/node_modules/jiti/'));
  return frame && /(?:file:\/\/)?(\/[^()]*?:\d+)(?::\d+)?\)?$/.exec(frame)?.[1];
}
