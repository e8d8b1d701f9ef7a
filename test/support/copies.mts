import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { compileFunction, type Context } from 'node:vm';

export type Library = Omit<typeof import('aiforge'), 'default'>;

const root = path.resolve('dist/lib');

/**
 * A copy of the library of its own over the addon that is loaded, as test runners make one for each file: in this realm, or
 * in that of a `vm` context, whose globals it then has.
 */
export function copyOfLibrary(realm?: Context): Library {
  const loaded = new Map<string, { exports: object }>();
  const load = (file: string): object => {
    const done = loaded.get(file);
    if (done !== undefined) return done.exports;
    const module = { exports: {} };
    loaded.set(file, module);
    const outer = createRequire(file);
    const within = (name: string): unknown => {
      const found = outer.resolve(name);
      return found.startsWith(root) && found.endsWith('.js') ? load(found) : (outer(name) as unknown);
    };
    const parameters = ['module', 'exports', 'require', '__filename', '__dirname'];
    const body = compileFunction(readFileSync(file, 'utf8'), parameters, { filename: file, parsingContext: realm });
    Reflect.apply(body, module.exports, [module, module.exports, within, file, path.dirname(file)]);
    return module.exports;
  };
  return load(path.join(root, 'index.js')) as Library;
}
