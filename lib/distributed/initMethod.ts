import { fileURLToPath } from 'node:url';
import { AiforgeError } from '../errors.js';
import { kind, type Kind } from '../kinds.js';
import { show } from '../show.js';
import type { RankOptions } from './environment.js';

/** Where the ranks of a group find each other: `env://`, `tcp://host:port` or `file:///path`. */
export type InitMethod = 'env://' | `tcp://${string}` | `file://${string}`;

export const initMethodKind: Kind<InitMethod> = kind(
  "'env://', 'tcp://host:port' or 'file:///path'",
  (value) => typeof value === 'string',
);

/** What an initMethod says: a file, or with what the variables of the environment are replaced. */
export interface ReadInitMethod {
  file: string | undefined;
  given: RankOptions;
}

function refuse(method: string, problem: string): never {
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `initProcessGroup: initMethod ${show(method)} ${problem}; expected 'env://', 'tcp://10.0.0.1:29500' or 'file:///shared/job-17', ` +
      'the last two with rank and worldSize as options, or as ?rank=0&world_size=2 behind them.',
  );
}

function parse(method: string): URL {
  try {
    return new URL(method);
  } catch {
    return refuse(method, 'is no URL');
  }
}

const known = new Map([
  ['rank', 'rank'],
  ['world_size', 'worldSize'],
] as const);

/** `?rank=0&world_size=2` */
function queried(method: string, url: URL): RankOptions {
  const given: Record<string, number> = {};
  for (const [name, text] of url.searchParams) {
    const option = known.get(name as 'rank');
    const value = text === '' ? NaN : Number(text);
    if (option === undefined) refuse(method, `has '${name}', which is not known`);
    if (!Number.isInteger(value)) refuse(method, `has ${name}=${text}, which is no whole number`);
    given[option] = value;
  }
  return given;
}

/** Reads an initMethod as Python does. Throws INVALID_ARGUMENT for one that there is not. */
export function readInitMethod(method: string): ReadInitMethod {
  const url = parse(method);
  const given = queried(method, url);
  if (url.protocol === 'env:') return { file: undefined, given };
  if (url.protocol === 'tcp:') {
    if (url.hostname === '' || url.port === '') refuse(method, 'names no host and port');
    const masterAddr = url.hostname.replace(/^\[(.*)\]$/, '$1');
    return { file: undefined, given: { ...given, masterAddr, masterPort: Number(url.port) } };
  }
  if (url.protocol !== 'file:') refuse(method, `begins with '${url.protocol}//'`);
  if (url.hostname !== '')
    refuse(method, `names a host, '${url.hostname}', and no file: a path begins with a third slash`);
  url.search = '';
  return { file: fileURLToPath(url), given };
}
