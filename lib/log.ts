import { Buffer } from 'node:buffer';
import { closeSync, openSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { LogFn, Logger as PinoLogger } from 'pino';

import { makeFolders } from './atomicFile.js';
import { kind, oneOf, optional, string } from './kinds.js';
import { isOptions, signature } from './signature.js';

// pino and pino-pretty take 25 ms to load, and most programs that import the library never log: the first line loads them.
const load = createRequire(__filename);

/** The levels of `LOG_LEVEL` and of {@link logger}, from the most talkative to none. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** A logger with pino's call forms: `info('text')`, `info({ epoch: 1 }, 'text')`, `error(error, 'text')`. */
export interface Logger {
  /** What the console shows; one value for the whole process. Default `LOG_LEVEL`, or `silent` when that is not set. */
  level: LogLevel;
  readonly trace: LogFn;
  readonly debug: LogFn;
  readonly info: LogFn;
  readonly warn: LogFn;
  readonly error: LogFn;
  readonly fatal: LogFn;
  /** A logger that adds these fields to every line. */
  child(bindings: Record<string, unknown>): Logger;
  /** Whether a line of that level would go anywhere: to the console or to a log file. */
  isLevelEnabled(level: Exclude<LogLevel, 'silent'>): boolean;
}

interface Sink {
  level: LogLevel;
  write(line: string): void;
}

const order = (level: LogLevel): number => logLevels.indexOf(level);

const files = new Set<Sink>();
let consoleLevel: LogLevel | undefined;
let consoleSink: Sink | undefined;

function currentLevel(): LogLevel {
  consoleLevel ??= levelFromEnvironment();
  return consoleLevel;
}

/** An unknown LOG_LEVEL must not stop a program at its first log line: `settings` reports it, here it means `info`. */
function levelFromEnvironment(): LogLevel {
  const wanted = (process.env.LOG_LEVEL || 'silent').toLowerCase();
  return logLevels.find((level) => level === wanted) ?? 'info';
}

function isEnabled(level: LogLevel, toConsole: boolean): boolean {
  if (toConsole && order(level) >= order(currentLevel())) return true;
  for (const file of files) if (order(level) >= order(file.level)) return true;
  return false;
}

/** Every sink writes synchronously: a line that was logged is out, whatever ends the process next. */
function fanOut(toConsole: boolean) {
  return {
    // pino sets lastLevel before each write on a stream that carries this mark.
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 0,
    write(line: string): void {
      const level = logLevels[this.lastLevel / 10 - 1] ?? 'fatal';
      if (toConsole && order(level) >= order(currentLevel())) {
        consoleSink ??= openConsole();
        consoleSink.write(line);
      }
      for (const file of files) if (order(level) >= order(file.level)) file.write(line);
    },
  };
}

function openConsole(): Sink {
  // Where nobody reads standard error any more, or its disk is full, there is nobody to tell.
  const write = lineWriter(2, () => undefined);
  if (!process.stderr.isTTY) return { level: 'trace', write };
  const { prettyFactory } = load('pino-pretty') as typeof import('pino-pretty');
  const format = prettyFactory({ ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' });
  return { level: 'trace', write: (line) => write(format(line)) };
}

const waitMs = 10;

/** Writes lines to a file at once; after the first that cannot be written, which `failed` is told of, it writes no more. */
function lineWriter(descriptor: number, failed: (error: Error) => void): (line: string) => void {
  let works = true;
  return (line) => {
    const bytes = Buffer.from(line);
    for (let written = 0; works && written < bytes.length;) {
      try {
        written += writeSync(descriptor, bytes, written);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') {
          // The reader of a pipe is behind.
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, waitMs);
        } else {
          works = false;
          failed(error as Error);
        }
      }
    }
  };
}

function openRoot(toConsole: boolean): PinoLogger {
  const { pino } = load('pino') as typeof import('pino');
  const rank = process.env.RANK;
  const base = rank === undefined ? { pid: process.pid } : { pid: process.pid, rank: Number(rank) };
  return pino({ level: 'trace', base }, fanOut(toConsole));
}

const bindingsTake = signature({ bindings: kind('an object of fields', isOptions) });

/** What can be told of an error that cannot be written as it is. */
function plainError(error: unknown): object {
  try {
    return { err: { type: 'Error', message: String(error), stack: String((error as Error).stack) } };
  } catch {
    return { err: { type: 'Error', message: 'an error that cannot be read' } };
  }
}

function createLogger(open: () => PinoLogger, toConsole: boolean): Logger {
  let target: PinoLogger | undefined;
  const method =
    (level: Exclude<LogLevel, 'silent'>): LogFn =>
    (...values: Parameters<LogFn>) => {
      if (!isEnabled(level, toConsole)) return;
      target ??= open();
      try {
        target[level](...values);
      } catch {
        // pino marks an error while it writes it, which a frozen one does not allow; a getter of it may throw.
        const [first, ...rest] = values as unknown as [unknown, ...unknown[]];
        target[level](plainError(first), ...(rest as []));
      }
    };
  return {
    get level() {
      return currentLevel();
    },
    set level(level) {
      consoleLevel = level;
    },
    trace: method('trace'),
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    fatal: method('fatal'),
    child(bindings) {
      bindingsTake.check('logger.child', arguments);
      return createLogger(() => (target ??= open()).child(bindings), toConsole);
    },
    isLevelEnabled: (level) => isEnabled(level, toConsole),
  };
}

/** The library's logger. It writes to stderr, readable on a terminal and JSON lines elsewhere; silent unless `LOG_LEVEL` is set. */
export const logger: Logger = createLogger(() => openRoot(true), true);

/** Writes to log files alone: what is shown to the user in another way, as an error is that is thrown. */
export const fileLogger: Logger = createLogger(() => openRoot(false), false);

const logFileTakes = signature({ file: string, level: optional(oneOf(...logLevels)) });

/** A logger that adds these fields to every line; short for `logger.child(bindings)`. */
export function childLogger(bindings: Record<string, unknown>): Logger {
  bindingsTake.check('childLogger', arguments);
  return logger.child(bindings);
}

/**
 * Appends every line of `level` and above to a file as JSON, whatever the console shows, until the returned function is
 * called. Missing folders are made; a file that cannot be opened throws Node's own error. A file that cannot be written any
 * more, as on a full disk, costs one warning.
 */
export function addLogFile(file: string, level: LogLevel = 'info'): () => void {
  logFileTakes.check('addLogFile', arguments);
  makeFolders(path.dirname(path.resolve(file)));
  const descriptor = openSync(file, 'a');
  const write = lineWriter(descriptor, (error) => {
    files.delete(sink);
    logger.warn({ err: error }, `The log ${file} is no longer written; check the disk.`);
  });
  const sink: Sink = { level, write };
  files.add(sink);
  let isOpen = true;
  return () => {
    files.delete(sink);
    if (isOpen) closeSync(descriptor);
    isOpen = false;
  };
}
