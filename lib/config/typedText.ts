import type { z } from 'zod';

import { optionsAt, textAt } from './schemaShape.js';
import { readYamlText } from './yamlText.js';

/** The setting that a text is given for: its path in a schema. */
export interface Setting {
  schema: z.core.$ZodType;
  path: readonly PropertyKey[];
}

/** Makes the error for a text that cannot be read. */
type Refuse = (reason: string, cause?: unknown) => Error;

const plainScalar = /^([-+]?(0|[1-9]\d*|(?=\.\d))(\.\d*)?(e[-+]?\d+)?|[-+]?\.inf|\.nan|true|false|null)$/i;

/** Whether a text is written as a number, `true`, `false` or `null`. */
export const isPlainScalar = (text: string): boolean => plainScalar.test(text.trim());

/**
 * What a text means that comes from outside a file, as an override or an environment variable. Where the setting holds a text, it
 * is that, as it stands. Elsewhere, what is clearly a number, `true`, `false`, `null`, a `[list]`, a `{mapping}` or a `"text"` of
 * YAML is read as such, texts within it by the setting's schema, and everything else is a text.
 */
export function typedText(given: string, setting: Setting, refuse: Refuse): unknown {
  const { schema, path } = setting;
  const text = textAt(schema, path);
  if (text !== undefined) return text.isNullable && given === 'null' ? null : given;
  const options = optionsAt(schema, path);
  return options === undefined ? guess(given, setting, refuse) : ofOptions(given, options, refuse);
}

/** The first reading that one of the options takes, those as a text last. */
function ofOptions(given: string, options: z.ZodType[], refuse: Refuse): unknown {
  const texts = options.filter((option) => textAt(option, []) !== undefined);
  const others = options.filter((option) => !texts.includes(option));
  for (const option of others) {
    const value = typedText(given, { schema: option, path: [] }, refuse);
    if (option.safeParse(value).success) return value;
  }
  if (texts.some((option) => option.safeParse(given).success)) return given;
  return typedText(given, { schema: others[0] ?? options[0]!, path: [] }, refuse);
}

function guess(given: string, { schema, path }: Setting, refuse: Refuse): unknown {
  const source = given.trim();
  const isCollection = /^[[{]/.test(source);
  // One text in quotes, not a text that happens to begin and to end with some.
  const isQuoted = /^"([^"\\]|\\.)*"$|^'([^']|'')*'$/s.test(source);
  if (!isCollection && !isQuoted && !plainScalar.test(source)) return given;
  const remedy = isCollection ? `; a text that begins so stands in quotes: '"${source}"'` : '';
  const { value } = readYamlText(source, ({ reason, cause }) => refuse(`${reason}${remedy}.`, cause), {
    isText: (within, found) => isText({ schema, path: [...path, ...within] }, found),
  });
  return value;
}

/** Whether what YAML takes for another value is the text of a setting. */
function isText({ schema, path }: Setting, found: unknown): boolean {
  const text = textAt(schema, path);
  if (text !== undefined) return !(text.isNullable && found === null);
  const options = optionsAt(schema, path) ?? [];
  return (
    options.some((option) => textAt(option, []) !== undefined) &&
    !options.some((option) => option.safeParse(found).success)
  );
}
