// What only a GPU has, for scripts/device/bench.mjs; python/gpu.py has the same rows.
import { cuda, randn, scope, zeros } from 'aiforge';

function product() {
  const x = randn([4096, 4096], { device: 'cuda', dtype: 'bfloat16' });
  return () => x.matmul(x);
}

/** 256 MiB to the device. */
function upload(pinned) {
  const host = randn([64 * 2 ** 20]);
  const source = pinned ? host.pinMemory() : host;
  return () => source.to('cuda', { nonBlocking: pinned });
}

/** 16 MiB back, which is waited for. */
function download() {
  const x = randn([4 * 2 ** 20], { device: 'cuda' });
  return () => x.to('cpu');
}

/** Twenty small operators, one after the other. */
function chain() {
  const [x, out] = [randn([64, 64], { device: 'cuda' }), zeros([64, 64], { device: 'cuda' })];
  return () => {
    let y = x;
    for (let i = 0; i < 10; ++i) y = y.add(1).mul(0.5);
    out.copy_(y);
  };
}

function replay() {
  const work = chain();
  const side = new cuda.Stream();
  side.run(() => scope(work));
  side.synchronize();
  const graph = new cuda.CUDAGraph();
  graph.capture(() => scope(work));
  return () => graph.replay();
}

export const gpuRows = {
  product: { build: product, iterations: 100, warmUp: 100, scoped: true, perScope: 1 },
  upload: { build: () => upload(false), iterations: 2, warmUp: 4, scoped: true, perScope: 1 },
  upload_pinned: { build: () => upload(true), iterations: 4, warmUp: 8, scoped: true, perScope: 1 },
  download: { build: download, iterations: 4, warmUp: 8, scoped: true, perScope: 1 },
  chain: { build: chain, iterations: 100, warmUp: 500, scoped: true, perScope: 1 },
  graph_replay: { build: replay, iterations: 100, warmUp: 500 },
};
