import { kind, optional, string } from '../../kinds.js';
import { signature } from '../../signature.js';

/** What readers of one file or several are made with. */
export const filesKind = kind<string | readonly string[]>('a file, or an array of one or more', (value) =>
  Array.isArray(value) ? value.length > 0 && value.every((each) => string.accepts(each)) : string.accepts(value),
);

/** What `open` takes; each reader says itself what its positions are. */
export const positionArgument = signature({ position: optional(kind('a position', () => true)) });
