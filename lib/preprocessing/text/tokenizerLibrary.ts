import type { Tokenizer } from '@huggingface/tokenizers' with { 'resolution-mode': 'import' };
import { createRequire } from 'node:module';

import { missingPackage } from '../../data/optionalLibrary.js';

/** What is used of the package's tokenizer. */
export interface LibraryTokenizer {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
  decode(ids: number[], options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean }): string;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
  get_vocab(withAddedTokens: boolean): Map<string, number>;
}

// Exported types do not have the package's: it need not be installed where this is.
interface Library {
  Tokenizer: new (tokenizer: object, config: object) => Tokenizer;
}

const PACKAGE = '@huggingface/tokenizers';
const load = createRequire(__filename);

/** A tokenizer of the package, which is loaded when it is first needed: transform cannot wait for it. Throws MISSING_DEPENDENCY. */
export function libraryTokenizer(content: object): LibraryTokenizer {
  let library: Library;
  try {
    library = load(PACKAGE) as Library;
  } catch (cause) {
    throw missingPackage('Tokenizer', PACKAGE, `cannot be loaded here (${(cause as Error).message})`, cause);
  }
  return new library.Tokenizer(content, {}) as LibraryTokenizer;
}
