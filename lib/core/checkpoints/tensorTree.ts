import { checkDepth } from '../../depth.js';
import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import { isPlainObject } from '../../realms.js';
import { Tensor } from '../../tensor/index.js';

/** Plain data without its tensors, in whose places are their keys. */
interface Split {
  value: unknown;
  tensors: Record<string, Tensor>;
}

const mark = '$stored';
const longestPath = 80;

/** Takes the tensors out of plain data, for a file that holds both apart. Throws PLUGIN_INVALID for what is neither. */
export function splitTensors(value: unknown): Split {
  const tensors: Record<string, Tensor> = {};
  const ancestors = new Set<object>();
  const split = (item: unknown, path: string): unknown => {
    if (Tensor.isTensor(item)) {
      const key = String(Object.keys(tensors).length);
      tensors[key] = item.detach();
      return { [mark]: key };
    }
    if (Array.isArray(item) || isPlainObject(item)) {
      const place = path.length > longestPath ? `${path.slice(0, longestPath)}…` : path;
      if (ancestors.has(item)) {
        throw new AiforgeError('PLUGIN_INVALID', `The state of a callback holds itself at ${place}, which a checkpoint cannot hold: leave that out.`); // prettier-ignore
      }
      checkDepth(ancestors.size, `The state of a callback, at ${place},`, 'PLUGIN_INVALID');
      ancestors.add(item);
      const copy = Array.isArray(item)
        ? item.map((each, i) => split(each, `${path}[${i}]`))
        : Object.fromEntries(Object.entries(item).map(([key, each]) => [key, split(each, `${path}.${key}`)]));
      ancestors.delete(item);
      return copy;
    }
    if (item === null || ['number', 'string', 'boolean', 'undefined'].includes(typeof item)) return item;
    throw new AiforgeError('PLUGIN_INVALID', `The state of a callback has ${show(item)} at ${path}, which a checkpoint cannot hold: give tensors, numbers, texts, lists and objects.`); // prettier-ignore
  };
  return { value: split(value, 'state'), tensors };
}

/** Puts tensors back into plain data. */
export function joinTensors(value: unknown, tensors: Record<string, Tensor>): unknown {
  if (Array.isArray(value)) return value.map((each) => joinTensors(each, tensors));
  if (!isPlainObject(value)) return value;
  const key = value[mark];
  if (typeof key === 'string' && Object.hasOwn(tensors, key)) return tensors[key];
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, joinTensors(each, tensors)]));
}
