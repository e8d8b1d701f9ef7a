import { AiforgeError } from '../../errors.js';
import { boolean, count, kind, positive } from '../../kinds.js';
import { didYouMean, fold } from '../../nearest.js';
import { signature } from '../../signature.js';

/** How launchers of several nodes wait for each other, as torchrun's `--rdzv-conf`; times in seconds. */
export interface RendezvousConf {
  /** How long to wait until enough nodes are there. Default: 600. */
  joinTimeout?: number;
  /** How long to wait for more once `min` nodes are there. Default: 30. */
  lastCallTimeout?: number;
  /** How long to wait for the others to take note of the job's end. Default: 30. */
  closeTimeout?: number;
  /** How often launchers tell each other that they live. Default: 5. */
  keepAliveInterval?: number;
  /** After how many silent intervals a node counts as lost. Default: 3. */
  keepAliveMaxAttempt?: number;
  /** How long to wait for a connection and its first answer. Default: 60. */
  readTimeout?: number;
  /** Whether this node serves the rendezvous at its start. Default: whether the endpoint is an address of this machine. */
  isHost?: boolean;
}

const takes = signature<RendezvousConf>(
  {},
  {
    joinTimeout: positive,
    lastCallTimeout: positive,
    closeTimeout: positive,
    keepAliveInterval: positive,
    keepAliveMaxAttempt: count,
    readTimeout: positive,
    isHost: boolean,
  },
);

export const rendezvousConfKind = kind<RendezvousConf>(
  'an object',
  (value) => typeof value === 'object' && value !== null,
);

/** The configuration with its defaults. Throws INVALID_ARGUMENT for an option that there is not, or of another kind. */
export function resolveConf(
  given: RendezvousConf,
): Required<Omit<RendezvousConf, 'isHost'>> & Pick<RendezvousConf, 'isHost'> {
  takes.check('rdzvConf', [given]);
  return {
    joinTimeout: 600,
    lastCallTimeout: 30,
    closeTimeout: 30,
    keepAliveInterval: 5,
    keepAliveMaxAttempt: 3,
    readTimeout: 60,
    isHost: undefined,
    ...given,
  };
}

const names = [
  'join_timeout',
  'last_call_timeout',
  'close_timeout',
  'keep_alive_interval',
  'keep_alive_max_attempt',
  'read_timeout',
  'is_host',
] as const;

/** Reads torchrun's form, `join_timeout=60,is_host=1`. Throws INVALID_ARGUMENT for a key that there is not and a value that is none. */
export function parseConf(text: string): RendezvousConf {
  const conf: Record<string, number | boolean> = {};
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const [key = '', value = ''] = part.split(/=(.*)/s).map((each) => each.trim());
    const name = names.find((each) => fold(each) === fold(key));
    if (name === undefined) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `rdzv-conf has no '${key}'.${didYouMean(key, names)} It takes ${names.join(', ')}.`,
      );
    }
    conf[name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())] =
      name === 'is_host' ? readBoolean(name, value) : readNumber(name, value);
  }
  return conf;
}

function readNumber(name: string, value: string): number {
  const number = value === '' ? NaN : Number(value);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new AiforgeError('INVALID_ARGUMENT', `rdzv-conf: ${name} is '${value}'; expected a number above 0.`);
}

function readBoolean(name: string, value: string): boolean {
  if (/^(1|true|t|yes|y)$/i.test(value)) return true;
  if (/^(0|false|f|no|n)$/i.test(value)) return false;
  throw new AiforgeError('INVALID_ARGUMENT', `rdzv-conf: ${name} is '${value}'; expected true or false.`);
}
