// Where the rows run: AIFORGE_BENCH_DEVICE, the CPU by default. python/device.py reads the same.
import { cuda } from 'aiforge';

const device = process.env.AIFORGE_BENCH_DEVICE ?? 'cpu';

export const there = (...tensors) => tensors.map((tensor) => tensor.to(device));

/** Waits for what the device has still to do, so that a round counts all of it. */
export function settle() {
  if (device !== 'cpu') cuda.synchronize();
}

/** A task of test/models, there. */
export function moved(task) {
  task.model.to(device);
  return { ...task, batch: () => there(...task.batch()) };
}
