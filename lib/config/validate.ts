import { inspect } from 'node:util';
import type { z } from 'zod';

import { AiforgeError } from '../errors.js';
import { closest, nearest } from '../nearest.js';
import { elsewhereFor, ourName, ourValue, withoutSetting } from './otherNames.js';
import { isZod4 } from './foreignZod.js';
import { descriptionAt, isWholeAt, keysAt } from './schemaShape.js';
import { sourceOf } from './source.js';

type Path = readonly PropertyKey[];

export interface ValidateOptions {
  /** Where the value comes from, to begin the error with: a file name, `the environment`. */
  source: string;
  /** Keys under which the value stands in its source, such as `['model']`. */
  under?: string[];
  /** Says where in the source a path was given, such as `spam.yaml:3:5`: what stands there, or its key. */
  locate?: (path: Path, part: 'key' | 'value') => string | undefined;
}

/**
 * The value as the schema gives it back, defaults filled in. Throws `CONFIG_INVALID` with one line a problem: the path, the
 * value received, what was expected, and the nearest known key for an unknown one; `INVALID_ARGUMENT` for a schema of another zod.
 */
export function validate<S extends z.ZodType>(schema: S, value: unknown, options: ValidateOptions): z.output<S> {
  if (!isZod4(schema)) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      'validate got what is not a schema of zod 4: npm install zod@4, and make the schema with it.',
    );
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { under = [] } = options;
  // A part of a configuration that was read from a file is best looked for there.
  const read = sourceOf(value);
  const source = read?.file ?? options.source;
  const locate = options.locate ?? read?.locate ?? (() => undefined);
  const lines = result.error.issues.flatMap((issue) =>
    explain(issue, schema, value).map(({ path, problem, part }) => {
      const full = [...under, ...path];
      const place = locate(full, part ?? 'value');
      const name = full.length === 0 ? 'the whole' : full.join('.');
      return `  ${name}${place === undefined ? '' : ` (${place})`}: ${problem}`;
    }),
  );
  const count = lines.length === 1 ? '1 problem' : `${lines.length} problems`;
  throw new AiforgeError('CONFIG_INVALID', `${source} has ${count}:\n${lines.join('\n')}`, { cause: result.error });
}

interface Problem {
  path: Path;
  problem: string;
  part?: 'key';
}

function explain(issue: z.core.$ZodIssue, schema: z.ZodType, value: unknown): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path, value) ?? [];
    return issue.keys.map((key) => ({ path: [...issue.path, key], problem: unknownKey(key, known), part: 'key' }));
  }
  const option = issue.code === 'invalid_union' ? optionMeant(issue) : undefined;
  if (option !== undefined) return option.flatMap((each) => explain({ ...each, path: [...issue.path, ...each.path] }, schema, value)); // prettier-ignore
  const received = valueAt(value, issue.path);
  const description = descriptionAt(schema, issue.path, value);
  // Of the field that tells options apart, it is that of one of them.
  const hint =
    description === undefined || (issue.code === 'invalid_union' && 'options' in issue) ? '' : ` (${description})`;
  const isWhole = issue.code === 'invalid_type' && issue.expected === 'number' && isWholeAt(schema, issue.path, value);
  const expected = isWhole ? `expected ${kinds.int}` : expectation(issue, received);
  return [{ path: issue.path, problem: `${receipt(issue, received)}${expected}${named(issue, schema, value)}${hint}` }];
}

/** What is wrong with the one option of a union that the value is of the kind of: a mapping, where the others are texts. */
function optionMeant(issue: z.core.$ZodIssueInvalidUnion): z.core.$ZodIssue[] | undefined {
  if ('options' in issue) return undefined;
  const meant = issue.errors.filter((of) => !of.some(({ path, code }) => path.length === 0 && code === 'invalid_type'));
  return meant.length === 1 && issue.errors.length > 1 ? meant[0] : undefined;
}

/** How a name alone is written where a mapping has it as one of its settings. */
function named(issue: z.core.$ZodIssue, schema: z.ZodType, value: unknown): string {
  const received = valueAt(value, issue.path);
  if (issue.code !== 'invalid_type' || issue.expected !== 'object' || typeof received !== 'string') return '';
  return keysAt(schema, issue.path)?.includes('name') === true ? `, such as { name: ${received} }` : '';
}

function receipt(issue: z.core.$ZodIssue, received: unknown): string {
  if (received !== undefined) return `got ${show(received)}, `;
  // A check over several fields may report one that was left at its default: that one is not missing.
  return issue.code === 'custom' ? '' : 'missing, ';
}

/** What to say of a key that is not among the known ones. */
export function unknownKey(key: string, known: string[]): string {
  const without = withoutSetting(key);
  if (without !== undefined) return `unknown option, ${without}`;
  const match = ourName(key, known) ?? nearest(key, known);
  if (match !== undefined) return `unknown option, did you mean '${match}'?`;
  if (known.length === 0) return 'unknown option, nothing can be set here';
  const elsewhere = elsewhereFor(key);
  if (elsewhere !== undefined) return `unknown option, ${elsewhere}`;
  return `unknown option, known are ${someOf(key, known)}`;
}

const mostNamed = 12;

/** All of a few names; of many those that are most like the one that was given. */
function someOf(key: string, known: readonly string[]): string {
  if (known.length <= mostNamed) return known.join(', ');
  const named = closest(key, known).slice(0, mostNamed);
  return `${named.join(', ')} and ${known.length - named.length} more; see docs/configuration.md`;
}

const kinds: Record<string, string> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a string',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping of names to values',
  record: 'a mapping of names to values',
};

function expectation(issue: z.core.$ZodIssue, received: unknown): string {
  switch (issue.code) {
    case 'invalid_type': {
      // A schema's own words, of the form that it takes.
      if (issue.message.startsWith('expected {')) return issue.message;
      const isUnquoted = issue.expected === 'string' && (typeof received === 'number' || typeof received === 'boolean');
      return `expected ${kinds[issue.expected] ?? issue.expected}${isUnquoted ? ', in quotes' : ''}`;
    }
    case 'invalid_value':
      return oneOf(issue.values, issue.path, received);
    case 'too_small':
      return `expected ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unit(issue.origin)}`;
    case 'too_big':
      return `expected ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unit(issue.origin)}`;
    case 'invalid_union': {
      // The field that tells the options apart is at fault.
      if ('options' in issue) return oneOf((issue.options as unknown[]).map(String).sort(), issue.path, received);
      const ways = issue.errors.map(([first]) => (first?.path.length === 0 ? expectation(first, received) : undefined));
      if (ways.length > 0 && !ways.includes(undefined)) {
        return [...new Set(ways)].map((way, index) => (index > 0 ? way!.replace(/^expected /, '') : way)).join(', or ');
      }
      return issue.message;
    }
    default: {
      const match = ourValue(issue.path.at(-1), received);
      return `${issue.message}${match === undefined ? '' : `, did you mean '${match}'?`}`;
    }
  }
}

function oneOf(values: readonly unknown[], path: Path, received: unknown): string {
  const names = values.map(String);
  const match =
    received === undefined ? undefined : (ourValue(path.at(-1), received) ?? nearest(shownText(received), names));
  return `expected one of ${names.join(', ')}${match === undefined ? '' : `, did you mean '${match}'?`}`;
}

/** A text as it is; what else was given, as an error shows it. */
const shownText = (received: unknown): string => (typeof received === 'string' ? received : show(received));

function unit(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' entries' : '';
}

function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as Record<PropertyKey, unknown>)[key];
  }
  return current;
}

function show(value: unknown): string {
  return inspect(value, { depth: 1, breakLength: Infinity, maxArrayLength: 5, maxStringLength: 80 });
}
