import { AiforgeError } from '../errors.js';
import { nearest } from '../nearest.js';

type Exports = Record<string, unknown>;

const wrapped = new WeakMap<object, Exports>();

/** A module of this package as an ES module sees it: its names, and itself as the default, as Node gives a CommonJS module. */
export function withDefault(exports: Exports): Exports {
  let made = wrapped.get(exports);
  if (made === undefined) {
    const names = Object.getOwnPropertyDescriptors(exports);
    made = Object.create(null, { ...names, default: { value: exports, enumerable: true } }) as Exports;
    wrapped.set(exports, made);
  }
  return made;
}

/**
 * Throws INVALID_ARGUMENT for a name that a compiled module imports from a module of this package which does not have it: Node
 * refuses to run such a module, and the compiler would make undefined of the name.
 *
 * @param compiled What the compiler made of `source`: each name that is imported stands in it as `_module.name`.
 * @param load Gives a module of this package; undefined where there is none of the name.
 */
export function checkHostImports(
  { filename = 'the module', source }: { filename?: string; source: string },
  compiled: string,
  load: (request: string) => Exports | undefined,
): void {
  const requires = /\bvar (_\w+) = (?:_interopRequire\w+\()?require\("(aiforge(?:\/\w+)?)"\)/g;
  for (const [, variable, request] of compiled.matchAll(requires)) {
    const exports = load(request!);
    if (exports === undefined) continue;
    for (const [, name] of compiled.matchAll(new RegExp(`(?<![\\w.])${variable}\\.(\\w+)`, 'g'))) {
      if ((name as string) in exports) continue;
      const match = nearest(name!, Object.keys(exports));
      const line = source.split('\n').findIndex((text) => new RegExp(`\\b${name}\\b`).test(text)) + 1;
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `'${request}' has no export '${name}' (${filename}:${line})${match === undefined ? '' : `, did you mean '${match}'?`}`,
      );
    }
  }
}
