// A thread that differentiates in forward mode for a while, and is then ended in the middle or goes on to its end.
import { parentPort, workerData } from 'node:worker_threads';
import { autograd, func, tensor } from 'aiforge';

const { dualLevel, makeDual, unpackDual } = autograd.forwardAd;

if (workerData === 'hang') {
  dualLevel(() => {
    parentPort!.postMessage('inside');
    for (;;) unpackDual(makeDual(tensor([1.5]), tensor([1.5])).sin());
  });
} else {
  const slopes = Array.from({ length: 50 }, (_, i) =>
    func.jvp((x) => x.mul(x), [tensor(i + 0.5)], [tensor(1.5)])[1].item(),
  );
  parentPort!.postMessage(slopes);
}
