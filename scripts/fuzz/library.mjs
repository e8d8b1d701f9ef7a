// The built library, by the modules that the fuzzer calls.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const dist = '../../dist/lib';

export function loadLibrary() {
  const nn = require(`${dist}/nn/index.js`);
  const func = require(`${dist}/func/index.js`);
  const serialization = require(`${dist}/serialization/index.js`);
  const tensor = require(`${dist}/tensor/index.js`);
  const autograd = require(`${dist}/autograd/index.js`);
  const { native } = require(`${dist}/native.js`);
  const { enterContext } = require(`${dist}/tensor/context/context.js`);
  const { Tensor, wrapHandle } = require(`${dist}/tensor/tensor.js`);
  const { publicOperators } = require(`${dist}/tensor/generated/reach.js`);
  const { scope } = tensor;
  return {
    publicOperators,
    nn,
    func,
    serialization,
    native,
    tensor,
    autograd,
    enterContext,
    Tensor,
    wrapHandle,
    scope,
    inferenceMode: autograd.inferenceMode,
  };
}
