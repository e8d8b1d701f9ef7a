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

/** Takes the tensors out of plain data, for a file that holds both apart. Throws PLUGIN_INVALID for what is neither. */
export function splitTensors(value: unknown): Split {
  const tensors: Record<string, Tensor> = {};
  const split = (item: unknown, path: string): unknown => {
    if (Tensor.isTensor(item)) {
      const key = String(Object.keys(tensors).length);
      tensors[key] = item.detach();
      return { [mark]: key };
    }
    if (Array.isArray(item)) return item.map((each, i) => split(each, `${path}[${i}]`));
    if (isPlainObject(item)) {
      return Object.fromEntries(Object.entries(item).map(([key, each]) => [key, split(each, `${path}.${key}`)]));
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
