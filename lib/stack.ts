import path from 'node:path';

/** The package's root folder: the compiled file is dist/lib/stack.js. */
export const packageRoot = path.resolve(__dirname, '..', '..');

// The library's own files, as they run and as source maps show them.
const own = ['dist/lib', 'lib'].map((folder) => path.join(packageRoot, folder) + path.sep);

// The frames of a call that the library itself adds, at most; stacks are taken that much deeper than asked for.
const depthOfLibrary = 60;

/** Whether a line of an error's stack is a frame, such as `    at f (file:///x.ts:1:2)`. */
export const isFrame = (line: string): boolean => /^\s+at /.test(line);

/** Whether a frame is the library's, or Node's. */
function isOwn(line: string): boolean {
  if (/\(native\)|<anonymous>\)?$|\bnode:/.test(line)) return true;
  const file = line.replace(/^.*?(?:file:\/\/)?(\/|[A-Za-z]:[\\/])/, '$1');
  return own.some((folder) => file.startsWith(folder));
}

/** Takes the stack of here into a holder, without the frames of `above` and what it calls. */
export function takeStack(above: NewableFunction | CallableFunction): { stack?: unknown } {
  const taken: { stack?: unknown } = {};
  const limit = Error.stackTraceLimit;
  const isLimited = typeof limit === 'number';
  if (isLimited) Error.stackTraceLimit = limit + depthOfLibrary;
  Error.captureStackTrace(taken, above);
  if (isLimited) Error.stackTraceLimit = limit;
  return taken;
}

export interface Frames {
  /** The library's frames above the user's, the innermost first. */
  own: string[];
  /** From the user's line on; empty when no frame is the user's. */
  user: string[];
}

/** The frames of a stack, divided where the user called the library. */
export function divideFrames(stack: string): Frames {
  const lines = stack.split('\n').filter(isFrame);
  const first = lines.findIndex((line) => !isOwn(line));
  return first < 0 ? { own: lines, user: [] } : { own: lines.slice(0, first), user: lines.slice(first) };
}

/** The frames of a stack that are neither the library's nor Node's. */
export function foreignFrames(stack: string): string[] {
  return stack.split('\n').filter((line) => isFrame(line) && !isOwn(line));
}

/** The frames that an error shows: the user's, or all with `AIFORGE_STACK=full`; none of a failed import. */
export function shownFrames(stack: string): string[] {
  const { own, user } = divideFrames(stack);
  const limit = Number.isFinite(Error.stackTraceLimit) ? Error.stackTraceLimit : Infinity;
  if (process.env.AIFORGE_STACK === 'full') return [...own, ...user];
  if (user.length === 0) return own.some((line) => line.includes('node:internal/modules/')) ? [] : own;
  return user.slice(0, limit);
}
