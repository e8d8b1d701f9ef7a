// What a call is made inside of: a function transform, or hooks that replace what a graph saves.
import { isSmall, otherThan } from './aftermath.mjs';
import { hash, Random } from './random.mjs';

const transforms = ['vmap', 'grad', 'vmapGrad', 'jvp', 'vjp'];

/** For the description of a call. */
export function describeSurroundings(random) {
  const inside = random.weighted([
    [84, undefined],
    [8, 'hooks'],
    [8, random.pick(transforms)],
  ]);
  return inside === undefined ? {} : { inside, insideSeed: random.int(1, 2 ** 31) };
}

const isFloat = (x) => /^(b?float|complex)/.test(x.dtype);

const sumOf = ({ Tensor, tensor }, result) =>
  [result]
    .flat(2)
    .filter((x) => Tensor.isTensor(x) && isFloat(x) && isSmall(x))
    .reduce((sum, x) => sum.add(x.sum()), tensor.zeros([]));

/** The result of `call(values)` inside what is described. */
export function callInside(library, { inside, insideSeed }, values, call) {
  const { Tensor, autograd, func, tensor } = library;
  if (inside === undefined) return call(values);
  const random = new Random(hash('inside', insideSeed));
  if (inside === 'hooks') {
    const unpack = (saved) => (random.chance(0.5) ? otherThan(library, saved, random) : saved);
    return autograd.savedTensorsHooks(
      (saved) => saved,
      unpack,
      () => call(values),
    );
  }
  const given = values.filter(Tensor.isTensor);
  const withTensors = (...tensors) => call(values.map((value) => (Tensor.isTensor(value) ? tensors.shift() : value)));
  const reduced = (...tensors) => sumOf(library, withTensors(...tensors));
  const mapped = (fn) => func.vmap(fn, { inDims: given.map((x) => (x.dim() > 0 && random.chance(0.8) ? 0 : null)), randomness: 'different' }); // prettier-ignore
  switch (inside) {
    case 'vmap':
      return mapped(withTensors)(...given);
    case 'grad':
      return func.grad(reduced)(...given);
    case 'vmapGrad':
      return mapped(func.grad(reduced))(...given);
    case 'jvp':
      return func.jvp(
        withTensors,
        given,
        given.map((x) => tensor.onesLike(x)),
      );
    default: {
      const [result, pull] = func.vjp(reduced, given);
      return [result, pull(tensor.onesLike(result))];
    }
  }
}
