import Module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { cacheFolder } from '../locate.js';
import { checkHostImports, withDefault } from './hostImports.js';

// jiti takes 15 ms to load and is needed only when a plugin or a TypeScript configuration is.
const load = createRequire(__filename);

/** The requests that must give this very package, whatever copy stands nearer to the file that makes them. */
const isHost = (request: string): boolean => request === 'aiforge' || request.startsWith('aiforge/');

/** What is used of jiti: its synchronous side. The asynchronous one gives ES modules to Node's import, out of reach of `isHost`. */
interface Runner {
  (file: string): unknown;
  resolve(name: string): string;
}

/**
 * jiti's `interopDefault` is two things: code in which a default import of a CommonJS module is the module, as it must be, and a
 * proxy around each module, which costs at every access and gives other functions than the module has. This takes the first
 * alone: one jiti compiles, another runs.
 */
function createRunner(directory: string, virtualModules: Record<string, unknown> = {}): Runner {
  const { createJiti } = load('jiti') as typeof import('jiti');
  const base = join(directory, '_');
  // Its default is a folder for temporary files, in which another user can leave code.
  const compiler = createJiti(base, { fsCache: join(cacheFolder(), 'compiled') });
  return createJiti(base, {
    virtualModules,
    interopDefault: false,
    fsCache: false,
    transform: (options) => {
      const code = compiler.transform({ ...options, interopDefault: true });
      checkHostImports(options, code, (request) => virtualModules[request] as Record<string, unknown> | undefined);
      return { code };
    },
  });
}

/** This package's root folder. */
export function packageRoot(): string {
  return dirname(load.resolve('aiforge/package.json'));
}

/** What this package's package.json says. */
export function packageManifest(): { version: string; exports: Record<string, unknown> } {
  return load('aiforge/package.json') as { version: string; exports: Record<string, unknown> };
}

/**
 * Runs a TypeScript or JavaScript module and returns what it exports. Its `import … from 'aiforge'` gives the running
 * library itself, also from a folder that has no node_modules. Errors are those of the module.
 */
export function loadModule(file: string): Record<string, unknown> {
  const directory = dirname(file);
  const run = createRunner(directory, hostModules(directory));
  return withHostResolution(() => run(file) as Record<string, unknown>);
}

/** The file that `import name` in that folder would run, or undefined. */
export function resolveModule(name: string, directory: string): string | undefined {
  try {
    return createRunner(directory).resolve(name);
  } catch {
    return undefined;
  }
}

/** The modules that jiti takes from here instead of from disk. Getters, so that a module that is not imported is not loaded. */
function hostModules(directory: string): Record<string, unknown> {
  const modules: Record<string, unknown> = {};
  const add = (name: string, get: () => unknown) => Object.defineProperty(modules, name, { get });
  for (const subpath of Object.keys(packageManifest().exports)) {
    const name = `aiforge${subpath.slice(1)}`;
    add(name, () => withDefault(load(name) as Record<string, unknown>));
  }
  // A plugin's own zod comes first; a lone folder without node_modules gets ours.
  try {
    createRequire(join(directory, '_')).resolve('zod');
  } catch {
    add('zod', () => load('zod'));
  }
  return modules;
}

type Resolver = (request: string, parent: unknown, ...rest: unknown[]) => string;

/**
 * jiti hands files that need no transform to Node's own require, which would find another copy of this package when the
 * project has one. Loading is synchronous, so the resolver is swapped for just that time.
 */
function withHostResolution<T>(run: () => T): T {
  const internals = Module as unknown as { _resolveFilename: Resolver };
  const original = internals._resolveFilename;
  internals._resolveFilename = function (this: unknown, request, parent, ...rest) {
    return original.call(this, request, isHost(request) ? module : parent, ...rest);
  };
  try {
    return run();
  } finally {
    internals._resolveFilename = original;
  }
}
