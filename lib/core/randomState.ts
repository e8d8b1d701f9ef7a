import * as cuda from '../cuda/index.js';
import { getRngState, keep, setRngState, type Device, type Tensor } from '../tensor/index.js';

/** What is drawn next: on the CPU, and on the GPU that a run trains on. */
export interface RandomState {
  cpu: Tensor;
  /** Null where it trains on the CPU. */
  cuda: Tensor | null;
}

/** The random state of now. */
export function randomState(device: Device): RandomState {
  return {
    cpu: keep(getRngState()),
    cuda: device === 'cpu' ? null : keep(cuda.getRngState(device as cuda.CudaDevice)),
  };
}

/** Goes back to a random state. */
export function restoreRandomState(state: RandomState, device: Device): void {
  setRngState(state.cpu);
  if (state.cuda !== null && device !== 'cpu') cuda.setRngState(state.cuda, device as cuda.CudaDevice);
}
