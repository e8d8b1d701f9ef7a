import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';

import { writeFileAtomic } from '../../atomicFile.js';
import { plainJson } from '../../plainJson.js';
import { AiforgeError } from '../../errors.js';
import { kind as kindOf, string } from '../../kinds.js';
import { isPlainObject } from '../../realms.js';
import { signature } from '../../signature.js';

/** What a Hugging Face `tokenizer.json` holds. */
export type TokenizerJson = Record<string, unknown>;

const count = z.int().min(1);
// Beyond what any model takes: a file must not make a batch of any size of two words.
const MOST_PADDED = 2 ** 24;
const direction = z.enum(['Left', 'Right']);
const part = z.union([z.looseObject({ type: z.string() }), z.null()]).optional();

// What is read of it here, and what the package takes for granted; the rest it checks itself.
const schema = z.looseObject({
  model: z.looseObject({
    type: z.string().optional(),
    vocab: z.union([z.record(z.string(), z.int().min(0)), z.array(z.unknown())]),
  }),
  added_tokens: z.array(z.looseObject({ id: z.int().min(0), content: z.string() })),
  normalizer: part,
  pre_tokenizer: part,
  post_processor: part,
  decoder: part,
  truncation: z
    .looseObject({ max_length: count, direction: direction.optional(), strategy: z.string().optional() })
    .nullish(),
  padding: z
    .looseObject({
      strategy: z.union([z.literal('BatchLongest'), z.strictObject({ Fixed: count.max(MOST_PADDED) })]),
      direction,
      pad_to_multiple_of: count.nullish(),
      pad_id: z.int().min(0),
      pad_token: z.string(),
    })
    .nullish(),
});
export type TokenizerContent = z.infer<typeof schema>;

/** What a file, or an object that was made of one, has. Throws FILE_INVALID. */
export function tokenizerContent(source: string, data: unknown): TokenizerContent {
  const result = schema.safeParse(data);
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    const place = path.length === 0 ? '' : `${path.map(String).join('.')}: `;
    throw invalid(source, `${place}${message}`);
  }
  // The package tells models by this; older files leave it out.
  return data as TokenizerContent;
}

export const invalid = (source: string, problem: string, cause?: unknown): AiforgeError =>
  new AiforgeError(
    'FILE_INVALID',
    `${source} is no tokenizer that can be used: ${problem}. Give a tokenizer.json as Hugging Face's tokenizers write it.`,
    { cause },
  );

/** The JSON of a file. Throws FILE_NOT_FOUND, or FILE_INVALID for what is no JSON. */
export function readTokenizerFile(file: string): unknown {
  if (!existsSync(file)) {
    throw new AiforgeError('FILE_NOT_FOUND', `There is no tokenizer file ${file}. Check the path.`);
  }
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw invalid(file, `it cannot be read as JSON (${(cause as Error).message})`, cause);
  }
}

const writeTakes = signature({
  file: string,
  content: kindOf<TokenizerJson>("a tokenizer's content, as trainBpe and trainWordPiece give it", isPlainObject),
});

/**
 * Writes a tokenizer's content to a `tokenizer.json`, which Hugging Face's tokenizers read too, in Python and elsewhere; whole or not at
 * all. Throws FILE_NOT_WRITABLE.
 *
 * @example
 * import { trainBpe, writeTokenizer } from 'aiforge/preprocessing';
 * writeTokenizer('build/examples/tokenizer.json', trainBpe(['low lower lowest'], { vocabSize: 262 }));
 */
export function writeTokenizer(file: string, content: TokenizerJson): void {
  writeTakes.check('writeTokenizer', arguments);
  tokenizerContent('writeTokenizer: the content', content);
  writeFileAtomic(file, `${plainJson('writeTokenizer: the content', content, 'INVALID_ARGUMENT')}\n`);
}
