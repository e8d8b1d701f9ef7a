import { noGrad } from '../../autograd/modes.js';
import type { MemoryFormat } from '../../tensor/dtype.js';
import { scope } from '../../tensor/memory/scope.js';
import type { Module } from '../module.js';
import { Conv2d, Conv3d } from '../modules/conv.js';
import { ConvTranspose2d, ConvTranspose3d } from '../modules/convTranspose.js';
import { signature } from '../../signature.js';
import { moduleKind } from '../moduleKinds.js';
import { memoryFormatKind } from '../../tensor/dtypeKinds.js';

type Convolution = Conv2d | Conv3d | ConvTranspose2d | ConvTranspose3d;

function convert(
  module: Module,
  types: readonly (abstract new (...args: never[]) => Convolution)[],
  memoryFormat: MemoryFormat,
): void {
  scope(() =>
    noGrad(() => {
      for (const each of module.modules()) {
        if (!types.some((type) => each instanceof type)) continue;
        const { weight } = each as Convolution;
        weight.setData(weight.detach().clone({ memoryFormat }));
      }
    }),
  );
}

const convertTakes = signature({ module: moduleKind, memoryFormat: memoryFormatKind });

/**
 * Changes the order in memory of the weights of all 2-d convolutions, for kernels that are faster so. As
 * `torch.nn.utils.convert_conv2d_weight_memory_format`.
 *
 * @example
 * import { nn } from 'aiforge';
 * const layer = nn.utils.convertConv2dWeightMemoryFormat(new nn.Conv2d(8, 4, 2), 'channels_last');
 * layer.weight.stride(); // [32, 1, 16, 8]
 */
export function convertConv2dWeightMemoryFormat<M extends Module>(module: M, memoryFormat: MemoryFormat): M {
  convertTakes.check('convertConv2dWeightMemoryFormat', arguments);
  convert(module, [Conv2d, ConvTranspose2d], memoryFormat);
  return module;
}

/**
 * Changes the order in memory of the weights of all 3-d convolutions, for kernels that are faster so. As
 * `torch.nn.utils.convert_conv3d_weight_memory_format`.
 *
 * @example
 * import { nn } from 'aiforge';
 * const layer = nn.utils.convertConv3dWeightMemoryFormat(new nn.Conv3d(8, 4, 2), 'channels_last_3d');
 * layer.weight.stride(); // [64, 1, 32, 16, 8]
 */
export function convertConv3dWeightMemoryFormat<M extends Module>(module: M, memoryFormat: MemoryFormat): M {
  convertTakes.check('convertConv3dWeightMemoryFormat', arguments);
  convert(module, [Conv3d, ConvTranspose3d], memoryFormat);
  return module;
}
