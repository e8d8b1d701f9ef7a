import { AiforgeError } from '../../errors.js';

/** How many nodes take part: between the two. */
export interface NodeRange {
  min: number;
  max: number;
}

const mostNodes = 65_536;

/** Reads `4` or `'2:4'`, as torchrun's `--nnodes`. Throws INVALID_ARGUMENT, with the option's name, for all else. */
export function parseNodes(given: number | string, name = 'nnodes'): NodeRange {
  const parts = String(given).split(':').map(wholeNumber);
  const [min = 0, max = min] = parts;
  if (parts.length <= 2 && min >= 1 && max >= min && max <= mostNodes) return { min, max };
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${name} is ${String(given)}; expected a whole number of at least 1, or a range such as '2:4' whose first number is not the larger.`,
  );
}

const wholeNumber = (text: string): number => (/^\d+$/.test(text.trim()) ? Number(text) : NaN);

/** Where something listens. */
export interface Endpoint {
  host: string;
  port: number;
}

/** Reads `HOST`, `HOST:PORT` or `[IPV6]:PORT`. Throws INVALID_ARGUMENT, with the option's name, for all else. */
export function parseEndpoint(name: string, given: string, defaultPort: number): Endpoint {
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(given.trim());
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (host !== undefined && port <= 65535) return { host, port };
  const remedy = given.split(':').length > 2 ? ' An address of IPv6 stands in brackets: [::1]:29400.' : '';
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${name} is '${given}'; expected HOST or HOST:PORT, with a port up to 65535.${remedy}`,
  );
}
