// Makes a failing call smaller, as long as it still fails in the same way.
import { repeat } from './supervise.mjs';

function simplerTensor(value) {
  const plain = { k: 'tensor', dtype: value.dtype, shape: value.shape };
  const { form: _form, ...formless } = value;
  const { grad: _grad, ...gradless } = value;
  const { seed: _seed, ...seedless } = value;
  const small = value.shape.map((size) => Math.min(size, 1));
  return [
    plain,
    { ...plain, dtype: 'float32' },
    { ...plain, shape: [] },
    formless,
    gradless,
    seedless,
    { ...value, shape: small, ...(value.fill === 'data' && { fill: 'ints' }) },
    { ...value, shape: value.shape.slice(1) },
    { ...value, dtype: 'float32' },
  ];
}

/** Simpler values to try in the place of one, the simplest first. */
function simpler(value) {
  const candidates = [];
  if (value.k === 'tensor') candidates.push(...simplerTensor(value));
  if (['list', 'tensors'].includes(value.k) && value.v.length > 0) {
    candidates.push({ ...value, v: [] }, { ...value, v: value.v.slice(0, 1) }, { ...value, v: value.v.slice(1) });
    if (value.v.length <= 4) {
      value.v.forEach((item, i) =>
        simpler(item)
          .slice(0, 4)
          .forEach((each) => candidates.push({ ...value, v: value.v.with(i, each) })),
      );
    }
  }
  if (value.k === 'num') candidates.push({ k: 'num', v: 0 }, { k: 'num', v: 1 });
  if (!['undef', 'tensor', 'tensors'].includes(value.k)) candidates.unshift({ k: 'undef' });
  const text = JSON.stringify(value);
  return candidates.filter((candidate) => JSON.stringify(candidate) !== text);
}

/** The smallest call found within `tries` children that fails as `failure` says; undefined if the call alone does not. */
export async function shrink(call, failure, { tries, settings }) {
  const fails = async (candidate) => (await repeat([candidate], settings)).failure === failure;
  if (!(await fails(call))) return undefined;
  let best = call;
  let left = tries;
  const keep = async (candidate) => {
    if (left-- <= 0 || !(await fails(candidate))) return false;
    best = candidate;
    return true;
  };
  if (call.via === 'operator' && call.way !== 'call') await keep({ ...call, way: 'call' });
  for (let i = 0; i < best.args.length && left > 0; ++i) {
    let improved = true;
    while (improved && left > 0) {
      improved = false;
      for (const value of simpler(best.args[i])) {
        if (!(await keep({ ...best, args: best.args.with(i, value) }))) continue;
        improved = true;
        break;
      }
    }
  }
  return best;
}
