import path from 'node:path';

import { AiforgeError, errorCodes, type ErrorCode } from './errors.js';
import { packageRoot } from './stack.js';

/** A LibTorch of this machine. */
export interface LibTorch {
  path: string;
  version: string;
  flavour: string;
  /** `LIBTORCH`, or `cache` for the one that pip installed. */
  source?: string;
}

/** An addon that can be loaded. */
export interface Addon {
  /** `source` when it was compiled here, else the name of its package. */
  origin: string;
  file: string;
  /** The files of LibTorch that are to be loaded before it. */
  libraries: string[];
  libtorch: LibTorch | null;
}

// The same code serves the install scripts, which run before there is a compiled library. A bundler follows these paths.
const addons = require('../../scripts/locate/addon.cjs') as {
  findAddon: () => Addon;
  findPrebuilt: (libtorch: LibTorch) => { misfit?: string };
  wantedLibTorch: () => LibTorch;
  setUp: string;
};
const paths = require('../../scripts/locate/paths.cjs') as { cacheFolder: () => string };
const libtorches = require('../../scripts/locate/libtorch.cjs') as {
  findLibTorch: () => LibTorch | null;
  LIBTORCH_VERSION: string;
};

/** The user's own folder for what can be made again. */
export const cacheFolder = paths.cacheFolder;

/** The command that sets up what is missing. */
export const setUp = addons.setUp;

/** The version of LibTorch that this library was written for and that is installed unless another is asked for. */
export const writtenVersion = libtorches.LIBTORCH_VERSION;

/** The file with the checksums of that version's schemas. */
export const writtenSchemas = path.join(packageRoot, 'native', 'versions', 'schemas.txt');

/** Finds the addon of this machine; throws AiforgeError with what to do when there is none. */
export const findAddon = (): Addon => withCode(addons.findAddon);

/** Finds LibTorch, or null when there is none; throws AiforgeError when `LIBTORCH` names something else. */
export const findLibTorch = (): LibTorch | null => withCode(libtorches.findLibTorch);

/** Whether there is a prebuilt addon for this machine and its LibTorch, installed or not. */
export function hasPrebuilt(): boolean {
  try {
    return addons.findPrebuilt(findLibTorch() ?? addons.wantedLibTorch()).misfit === undefined;
  } catch {
    return true;
  }
}

function withCode<Result>(find: () => Result): Result {
  try {
    return find();
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code === undefined || !(code in errorCodes)) throw error;
    throw new AiforgeError(code as ErrorCode, `${message.charAt(0).toUpperCase()}${message.slice(1)}`);
  }
}
