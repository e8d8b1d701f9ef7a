import { fileURLToPath } from 'node:url';
import { AiforgeError } from '../errors.js';
import { kind, type Kind } from '../kinds.js';
import { show } from '../show.js';
import { digits, type RankOptions } from './environment.js';

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
    const value = digits(text);
    if (option === undefined) refuse(method, `has '${name}', which is not known`);
    if (!Number.isInteger(value)) refuse(method, `has ${name}=${text}, which is no whole number`);
    given[option] = value;
  }
  return given;
}

/** Refuses the parts of a URL that say nothing here. */
function refuseRest(method: string, { protocol, username, password, hash, host, pathname }: URL): void {
  if (username !== '' || password !== '') refuse(method, 'names a user, and a group has none');
  if (hash !== '') refuse(method, `ends with '${hash}', which says nothing; a # in a path is written %23`);
  if (protocol === 'file:') return;
  if (pathname !== '' && pathname !== '/') refuse(method, `has the path '${pathname}', which says nothing there`);
  if (protocol === 'env:' && host !== '') refuse(method, `names '${host}', but env:// reads the environment alone`);
}

/** The path of a file's URL, which may be one that no file can have. */
function pathOf(method: string, url: URL): string {
  try {
    return fileURLToPath(url);
  } catch {
    return refuse(method, 'has a path that cannot be read: a % in it is written %25, and a slash is no %2F');
  }
}

/** Reads an initMethod as Python does. Throws INVALID_ARGUMENT for one that there is not. */
export function readInitMethod(method: string): ReadInitMethod {
  const url = parse(method);
  const given = queried(method, url);
  refuseRest(method, url);
  if (url.protocol === 'env:') return { file: undefined, given };
  if (url.protocol === 'tcp:') {
    if (url.hostname === '' || url.port === '') refuse(method, 'names no host and port');
    if (Number(url.port) === 0) refuse(method, 'names port 0, which is none that all ranks know');
    const masterAddr = url.hostname.replace(/^\[(.*)\]$/, '$1');
    return { file: undefined, given: { ...given, masterAddr, masterPort: Number(url.port) } };
  }
  if (url.protocol !== 'file:') refuse(method, `begins with '${url.protocol}//'`);
  if (url.hostname !== '')
    refuse(method, `names a host, '${url.hostname}', and no file: a path begins with a third slash`);
  url.search = '';
  return { file: pathOf(method, url), given };
}
