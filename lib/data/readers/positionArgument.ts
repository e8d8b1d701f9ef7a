import { kind, optional } from '../../kinds.js';
import { signature } from '../../signature.js';

/** What `open` takes; each reader says itself what its positions are. */
export const positionArgument = signature({ position: optional(kind('a position', () => true)) });
