import { AiforgeError } from '../errors.js';
import { ExperimentConfig } from './experimentConfig.js';
import { plainCopy, unsafeKeys } from './plainCopy.js';
import { keysAt, schemaAt, textAt } from './schemaShape.js';
import { unknownKey } from './validate.js';
import { readYamlText } from './yamlText.js';

export interface Override {
  path: string[];
  value: unknown;
  /** As it was given, for messages. */
  text: string;
}

/**
 * Reads `training.epochs=2`: a path of keys that `ExperimentConfig` knows, and what it is set to. Where the path holds a text,
 * that is all that follows `=`, as it stands. Elsewhere, what is clearly a number, `true`, `false`, `null`, a `[list]`, a
 * `{mapping}` or a `"text"` of YAML is read as such, and everything else is a text. Throws `CONFIG_INVALID`.
 */
export function parseOverride(text: string): Override {
  const equals = text.indexOf('=');
  if (equals < 1) {
    throw new AiforgeError('CONFIG_INVALID', `Override '${text}': expected key=value, such as training.epochs=2.`);
  }
  const path = text.slice(0, equals).trim().split('.');
  checkPath(path, text);
  return { path, value: parseValue(text.slice(equals + 1), path, text), text };
}

function checkPath(path: string[], text: string): void {
  path.forEach((key, index) => {
    const parent = path.slice(0, index);
    const refuse = (reason: string) => new AiforgeError('CONFIG_INVALID', `Override '${text}': ${reason}`);
    if (key === '') throw refuse('the path has an empty part; write it as training.epochs');
    if (unsafeKeys.has(key)) throw refuse(`'${key}' is not allowed as a key; choose another name`);
    const known = keysAt(ExperimentConfig, parent);
    if (known !== undefined && !known.includes(key)) {
      throw refuse(`'${path.slice(0, index + 1).join('.')}' is an ${unknownKey(key, known)}`);
    }
    const schema = schemaAt(ExperimentConfig, parent);
    if (known === undefined && schema !== undefined && schema._zod.def.type !== 'record') {
      const kind = schema._zod.def.type === 'array' ? 'a list' : 'a single value';
      throw refuse(`'${parent.join('.')}' is ${kind} and has no '${key}'; set ${parent.join('.')} itself`);
    }
  });
}

const plainScalar = /^([-+]?(0|[1-9]\d*|(?=\.\d))(\.\d*)?(e[-+]?\d+)?|[-+]?\.inf|\.nan|true|false|null)$/i;

function parseValue(given: string, path: string[], override: string): unknown {
  const text = textAt(ExperimentConfig, path);
  if (text !== undefined) return text.isNullable && given === 'null' ? null : given;
  const source = given.trim();
  if (/^[[{]/.test(source) || plainScalar.test(source)) return readValue(source, override);
  // One text in quotes, not a text that happens to begin and to end with some.
  const isQuoted = /^"([^"\\]|\\.)*"$|^'([^']|'')*'$/s.test(source);
  return isQuoted ? readValue(source, override) : given;
}

function readValue(source: string, override: string): unknown {
  const { value } = readYamlText(source, ({ reason, cause }) => {
    const remedy = /^[[{]/.test(source) ? `; a text that begins so stands in quotes: '"${source}"'` : '';
    return new AiforgeError('CONFIG_INVALID', `Override '${override}': ${reason}${remedy}.`, { cause });
  });
  return plainCopy(value, `Override '${override}'`);
}

/** Sets the override's value in a tree of plain objects, making the objects on the way. */
export function applyOverride(root: Record<string, unknown>, { path, value, text }: Override): void {
  let target = root;
  for (const [index, key] of path.slice(0, -1).entries()) {
    target[key] ??= {};
    const next = target[key];
    if (typeof next !== 'object' || next === null || Array.isArray(next)) {
      const parent = path.slice(0, index + 1).join('.');
      throw new AiforgeError(
        'CONFIG_INVALID',
        `Override '${text}': '${parent}' holds ${JSON.stringify(next)}, not a mapping; set ${parent} as a whole.`,
      );
    }
    target = next as Record<string, unknown>;
  }
  target[path.at(-1)!] = value;
}
