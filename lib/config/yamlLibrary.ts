import { createRequire } from 'node:module';
import type { Document, DocumentOptions, LineCounter, ParseOptions, SchemaOptions } from 'yaml';

// yaml takes 15 ms to load and only programs that read a configuration file need it.
const load = createRequire(__filename);

/** The package `yaml`. */
export const yaml = (): typeof import('yaml') => load('yaml') as typeof import('yaml');

/** YAML's own `parseDocument`; mistakes are in the document's `errors`. */
export function parseDocument(text: string, options?: ParseOptions & DocumentOptions & SchemaOptions): Document.Parsed {
  return yaml().parseDocument(text, { prettyErrors: false, ...options });
}

/** Finds line and column of an offset, from 1, when given to {@link parseDocument} as `lineCounter`. */
export function lineCounter(): LineCounter {
  return new (yaml().LineCounter)();
}

/** The value as YAML text, which reads back as it was. */
export function stringify(value: unknown): string {
  const { Document, isScalar, visit } = yaml();
  const document = new Document(value, (_, item: unknown) => (isLarge(item) ? BigInt(item) : item));
  visit(document, {
    // Written plainly it would be a merge key.
    Pair: (_, { key }) => {
      if (isScalar(key) && key.value === '<<') key.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString();
}

/** The value as YAML in one line, however long. */
export function inlineText(value: unknown): string {
  const { Document, visit } = yaml();
  const document = new Document(value);
  visit(document, {
    Collection: (_, node) => {
      node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, blockQuote: false, flowCollectionPadding: false }).trimEnd();
}

/** Whether JavaScript writes a number as an integer whose last digits are not those that it has. */
function isLarge(value: unknown): value is number {
  return Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value as number) < 1e21;
}
