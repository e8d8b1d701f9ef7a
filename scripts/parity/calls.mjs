// Finds what an entry of op_db calls in aiforge: the public function that the mechanical rule names.
import * as aiforge from '../../dist/lib/index.js';
import { camelCase } from '../../dist/lib/tensor/calls/schema.js';
import { table } from './table.mjs';

const { ops, Tensor } = aiforge;

/** `{ call, how }` for an entry such as `linalg.svd` or `normal/number_mean`; null where aiforge has nothing of the name. */
export function callOf(entry) {
  const name = entry.split('/')[0];
  const special = table[entry] ?? table[name];
  if (special !== undefined) return { call: special.call, how: special.why, isSpecial: true };
  const path = name.split('.').map(camelCase);
  const functional = name.startsWith('nn.functional.') ? path.at(-1) : null;
  const candidates = [path, [camelCase(name.replaceAll('.', '_'))], ...(functional ? [[functional]] : [])];
  for (const candidate of candidates) {
    const found = candidate.reduce((at, part) => at?.[part] ?? at?.[`${part}_`], aiforge);
    if (typeof found === 'function') return { call: found, how: candidate.join('.') };
  }
  const method = path.length === 1 && typeof Object.getOwnPropertyDescriptor(Tensor.prototype, path[0])?.value;
  if (method === 'function') return { call: (x, ...rest) => x[path[0]](...rest), how: `Tensor.${path[0]}` };
  return path.length === 1 && name.startsWith('_') ? atenCall(name) : null;
}

function atenCall(name) {
  try {
    return { call: ops.aten(name), how: `ops.aten('${name}')` };
  } catch {
    return null;
  }
}
