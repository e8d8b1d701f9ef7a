import { native, type Handle } from '../../native.js';
import { enterContext } from '../context/context.js';
import { formatTensor } from './printing.js';
import type { Tensor } from '../tensor.js';

/** Runs `body`, whose operators on ordinary tensors pass by the function transforms that are running. */
function outsideTransforms<T>(body: () => T): T {
  const before = native.excludeTransforms(true);
  try {
    return body();
  } finally {
    native.excludeTransforms(before);
  }
}

/** A tensor inside a transform as PyTorch prints it: `BatchedTensor(lvl=1, bdim=0, value=…)`; any other one as it is. */
function formatNested(tensor: Tensor, handle: Handle, wrap: (handle: Handle) => Tensor): string {
  const wrapper = native.isLive(handle) ? native.wrapperOf(handle) : null;
  if (wrapper === null) return formatTensor(tensor, handle, wrap);
  const value = wrap(wrapper.value);
  try {
    const inner = formatNested(value, wrapper.value, wrap).replace(/^/gm, '    ');
    const [name, place] =
      wrapper.batchDim < 0 ? ['GradTrackingTensor', ''] : ['BatchedTensor', `bdim=${wrapper.batchDim}, `];
    return `${name}(lvl=${wrapper.level}, ${place}value=\n${inner}\n)`;
  } finally {
    value.dispose();
  }
}

/** Any tensor as PyTorch prints it, inside the transforms of `func` too. */
export function formatAny(tensor: Tensor, handle: Handle, wrap: (handle: Handle) => Tensor): string {
  enterContext();
  return outsideTransforms(() => formatNested(tensor, handle, wrap));
}
