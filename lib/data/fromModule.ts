import { statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { AiforgeError } from '../errors.js';
import { kind, listOf, anything, string } from '../kinds.js';
import { loadModule } from '../modules/loadModule.js';
import { didYouMean } from '../nearest.js';
import { show } from '../show.js';
import { signature } from '../signature.js';

export interface FromModuleOptions {
  /** Which export. Default: `'default'`. */
  name?: string;
  /** Arguments for the export, a class or a function: plain data, tensors and datasets. Default: the export is taken as it is. */
  args?: readonly unknown[];
}

/** Where a value comes from, so that another thread can make it too. */
export interface Origin {
  readonly module: string;
  readonly name: string;
  readonly args: readonly unknown[] | null;
}

const origins = new WeakMap<object, Origin>();

/** @internal Says where a value comes from that was not made by `fromModule`. */
export const rememberOrigin = (value: object, origin: Origin): void => void origins.set(value, origin);

export const originOf = (value: object): Origin | undefined => origins.get(value);

// A realm has a class URL of its own.
const isFileUrl = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && String((value as Partial<URL>).href).startsWith('file:');

const fromModuleTakes = signature<FromModuleOptions>(
  {
    module: kind<string | URL>(
      "a file's path, or a file: URL such as new URL('./dataset.js', import.meta.url)",
      (value) => (typeof value === 'string' && value !== '') || isFileUrl(value),
    ),
  },
  { name: string, args: listOf(anything) },
);

/**
 * What a module exports, or makes, with a memory of where it came from: workers of a DataLoader import the module too. Take
 * datasets, and functions that put samples together, from modules in this way where `numWorkers` is above 0.
 *
 * @param module Its path, from the current folder on, or a `file:` URL. TypeScript is compiled.
 * @throws AiforgeError FILE_NOT_FOUND for a module that is not there, INVALID_ARGUMENT for an export that it has not. What the module
 * itself throws passes through.
 * @example
 * import { data } from 'aiforge';
 * // const squares = await data.fromModule<data.Dataset<number>>(new URL('./squares.js', import.meta.url), { args: [100] });
 * // for await (const batch of new data.DataLoader(squares, { batchSize: 10, numWorkers: 2 })) console.log(batch.shape);
 */
export async function fromModule<Value extends object>(
  module: string | URL,
  options: FromModuleOptions = {},
): Promise<Value> {
  fromModuleTakes.check('fromModule', arguments);
  const { name = 'default', args } = options;
  const file = fileOf(module);
  return (await made({ module: file, name, args: args ?? null })) as Value;
}

function fileOf(module: string | URL): string {
  if (typeof module === 'string' && !module.startsWith('file:')) return path.resolve(module);
  try {
    return fileURLToPath(module);
  } catch {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `fromModule: expected a path or a file: URL, got ${show(String(module))}.`,
    );
  }
}

/** @internal Makes what an origin tells of. */
export async function made(origin: Origin): Promise<object> {
  const found = exportOf(await imported(origin.module), origin);
  const value: unknown = origin.args === null ? found : await call(found, origin);
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) {
    throw refusal(`${origin.module}: '${origin.name}' gave ${show(value)}, expected an object or a function`);
  }
  origins.set(value, origin);
  return value;
}

const isFolder = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;

async function imported(file: string): Promise<Record<string, unknown>> {
  if (/\.[cm]?tsx?$/.test(file)) return loadModule(file);
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (cause) {
    const { code, url } = cause as { code?: string; url?: string };
    if (code === 'ERR_UNSUPPORTED_DIR_IMPORT' && isFolder(file)) {
      throw new AiforgeError('FILE_NOT_FOUND', `fromModule: ${file} is a folder. Give the path of a module.`, {
        cause,
      });
    }
    if (code !== 'ERR_MODULE_NOT_FOUND' || (url !== undefined && url !== pathToFileURL(file).href)) throw cause;
    throw new AiforgeError('FILE_NOT_FOUND', `fromModule: there is no module ${file}.`, { cause });
  }
}

function exportOf(module: Record<string, unknown>, { module: file, name }: Origin): unknown {
  if (name in module) return module[name];
  const names = Object.keys(module);
  throw refusal(`${file} has no export '${name}'.${didYouMean(name, names)} It has ${names.join(', ') || 'none'}`);
}

async function call(found: unknown, { module, name, args }: Origin): Promise<unknown> {
  if (typeof found !== 'function') throw refusal(`${module}: '${name}' is ${show(found)}, which takes no args`);
  const isClass = /^class\b/.test(Function.prototype.toString.call(found));
  return isClass
    ? (Reflect.construct(found, args!) as unknown)
    : await (found as (...args: readonly unknown[]) => unknown)(...args!);
}

const refusal = (problem: string): AiforgeError => new AiforgeError('INVALID_ARGUMENT', `fromModule: ${problem}.`);
