import { createRequire } from 'node:module';
import type { Document, ParseOptions, DocumentOptions, SchemaOptions } from 'yaml';

// yaml takes 15 ms to load and only programs that read a configuration file need it.
const load = createRequire(__filename);
const library = (): typeof import('yaml') => load('yaml') as typeof import('yaml');

/** YAML's own `parseDocument`; mistakes are in the document's `errors`. */
export function parseDocument(text: string, options?: ParseOptions & DocumentOptions & SchemaOptions): Document.Parsed {
  return library().parseDocument(text, { prettyErrors: false, ...options });
}

/** Finds line and column of an offset, from 1, when given to {@link parseDocument} as `lineCounter`. */
export function lineCounter(): import('yaml').LineCounter {
  return new (library().LineCounter)();
}

/** The value as YAML text. */
export function stringify(value: unknown): string {
  return library().stringify(value);
}
