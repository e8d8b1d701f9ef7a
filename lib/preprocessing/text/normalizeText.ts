import { boolean, oneOf, orNull, string } from '../../kinds.js';
import { signature } from '../../signature.js';

export interface NormalizeTextOptions {
  /** Unicode's normal form, or null for none; default 'NFC'. 'NFKC' also makes ligatures, wide letters and the like plain. */
  form?: 'NFC' | 'NFD' | 'NFKC' | 'NFKD' | null;
  /** Whether letters become lower case; default false. */
  lowercase?: boolean;
  /** Whether accents are taken away, with all that combines with a letter (Unicode's category Mn); default false. */
  stripAccents?: boolean;
  /** Whether each run of whitespace becomes one space, and that at both ends nothing; default false. */
  collapseWhitespace?: boolean;
}

const takes = signature<NormalizeTextOptions>(
  { text: string },
  {
    form: orNull(oneOf('NFC', 'NFD', 'NFKC', 'NFKD')),
    lowercase: boolean,
    stripAccents: boolean,
    collapseWhitespace: boolean,
  },
);

/**
 * A text in one of the forms in which Unicode writes it, and without what does not matter.
 *
 * @example
 * import { normalizeText } from 'aiforge/preprocessing';
 * normalizeText('  Café\n au lait', { lowercase: true, stripAccents: true, collapseWhitespace: true }); // cafe au lait
 */
export function normalizeText(text: string, options: NormalizeTextOptions = {}): string {
  takes.check('normalizeText', arguments);
  const { form = 'NFC', lowercase = false, stripAccents = false, collapseWhitespace = false } = options;
  let result = text;
  if (stripAccents) result = result.normalize('NFD').replace(/\p{Mn}/gu, '');
  if (lowercase) result = result.toLowerCase();
  if (form !== null) result = result.normalize(form);
  return collapseWhitespace ? result.replace(/\p{White_Space}+/gu, ' ').replace(/^ | $/g, '') : result;
}
