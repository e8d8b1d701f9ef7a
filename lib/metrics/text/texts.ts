import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';

/** A text, or a batch of them. */
export type Texts = string | readonly string[];

/** For a text its references, or one; for a batch one or several for each text. */
export type References = string | readonly (string | readonly string[])[];

const isText = (value: unknown): value is string => typeof value === 'string';
const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && Array.from(value).every(isText);

/** Predictions beside their targets. */
export function pairsOf(name: string, predictions: unknown, targets: unknown): [prediction: string, target: string][] {
  const given = textsOf(name, predictions);
  if (!isText(targets) && !isTexts(targets)) throw refusal(name, 'targets must be a string or an array of strings', show(targets)); // prettier-ignore
  const wanted = isText(targets) ? [targets] : targets;
  checkCounts(name, given.length, wanted.length);
  return given.map((text, i) => [text, wanted[i]!]);
}

/** Predictions beside the references of each. */
export function referencesOf(
  name: string,
  predictions: unknown,
  targets: unknown,
): [prediction: string, references: readonly string[]][] {
  const given = textsOf(name, predictions);
  const all: readonly unknown[] = isText(predictions) || !Array.isArray(targets) ? [targets] : (targets as unknown[]);
  checkCounts(name, given.length, all.length);
  return given.map((text, i) => {
    const references = isText(all[i]) ? [all[i]] : all[i];
    if (isTexts(references) && references.length > 0) return [text, references];
    throw refusal(name, 'each target must be a string or an array of one string or more', show(references));
  });
}

function textsOf(name: string, predictions: unknown): readonly string[] {
  if (isText(predictions)) return [predictions];
  if (isTexts(predictions)) return predictions;
  throw refusal(name, 'predictions must be a string or an array of strings', show(predictions));
}

function checkCounts(name: string, predictions: number, targets: number): void {
  if (predictions === targets) return;
  throw refusal(name, 'as many targets as predictions must be given', `${predictions} predictions and ${targets} targets`); // prettier-ignore
}

export const refusal = (name: string, expected: string, got: string) =>
  new AiforgeError('INVALID_ARGUMENT', `${name}: ${expected}, got ${got}.`);

// What Python's `str.split` splits at: white space, and the separators of files, groups, records and units.
const SEPARATORS = '\u001c-\u001f';
const SPACES = new RegExp(`[\\p{White_Space}${SEPARATORS}]+`, 'u');

/** The words of a text, which white space parts. */
export const wordsOf = (text: string): string[] => text.split(SPACES).filter((word) => word !== '');

/** The characters of a text: its code points. */
export const charactersOf = (text: string): string[] => Array.from(text);
