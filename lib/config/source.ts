import { AiforgeError, type ErrorCode } from '../errors.js';
import type { Origin } from './origin.js';

type Path = readonly PropertyKey[];

/** Where a configuration was read, and where in it a setting stands. */
export interface Source {
  /** The file, as it was given; several are joined by ` + `. */
  file: string;
  /** The place of a path, such as `experiments/spam.yaml:3:5`: of what stands there, or of its key. */
  locate: (path: Path, part?: 'key' | 'value') => string | undefined;
  /** Where a value was given; undefined for one that was not, as defaults are not. */
  originAt: (path: Path) => Origin | undefined;
}

const sources = new WeakMap<object, Source>();
const settings = new WeakMap<AiforgeError, { path: Path; problem: string }>();

/** Remembers where a configuration, and each mapping in it, was read. */
export function setSource(config: object, source: Source): void {
  sources.set(config, source);
  for (const value of Object.values(config) as unknown[]) {
    if (typeof value === 'object' && value !== null) setSource(value, source);
  }
}

/** Has a copy of a configuration, or of a mapping in it, remember where that was read. */
export function withSourceOf<T extends object>(original: object, copy: T): T {
  const source = sources.get(original);
  if (source !== undefined) setSource(copy, source);
  return copy;
}

/** Where a configuration, or a mapping in it, was read; undefined for one that was made in code. */
export function sourceOf(config: unknown): Source | undefined {
  return typeof config === 'object' && config !== null ? sources.get(config) : undefined;
}

/** The error for a setting that only what uses it can judge. */
export function settingProblem(
  path: readonly string[],
  problem: string,
  cause?: unknown,
  code: ErrorCode = 'CONFIG_INVALID',
): AiforgeError {
  const error = new AiforgeError(code, `${path.join('.')}: ${problem}`, { cause });
  settings.set(error, { path, problem });
  return error;
}

/** The work's result; an error of `settingProblem` gets the place of its setting. */
export function placed<T>(config: object, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const setting = error instanceof AiforgeError ? settings.get(error) : undefined;
    const source = sourceOf(config);
    if (setting === undefined || source === undefined) throw error;
    const place = source.locate(setting.path) ?? source.file;
    const message = `${setting.path.join('.')} (${place}): ${setting.problem}`;
    throw new AiforgeError((error as AiforgeError).code, message, { cause: error });
  }
}
