import { callNow } from '../autograd/transforms/transform.js';
import { func, kind, oneOf } from '../kinds.js';
import { nothing, signature } from '../signature.js';
import { Generator } from '../tensor/generator.js';
import { synchronize } from './device.js';
import { emptyCache } from './memory.js';
import { flavour, isCudaFlavour, type NativeGraph, type NativePool } from './native.js';
import { currentStream, Stream } from './stream.js';

/**
 * Memory that several graphs share, which must be replayed in the order of their captures. As `torch.cuda.graph_pool_handle`.
 *
 * @throws AiforgeError DEVICE_UNAVAILABLE where there is no device.
 */
export class MemoryPool {
  readonly #native: NativePool;

  constructor() {
    this.#native = flavour().openPool();
  }

  /** @internal */
  get native(): NativePool {
    return this.#native;
  }
}

/** Whether the current stream's work is being captured. As `torch.cuda.is_current_stream_capturing`. */
export function isCurrentStreamCapturing(): boolean {
  nothing.check('isCurrentStreamCapturing', arguments);
  return isCudaFlavour && flavour().isCapturing();
}

const captureTakes = signature<CaptureOptions>(
  { body: func() },
  {
    pool: kind('a MemoryPool or a CUDAGraph', (value) => value instanceof MemoryPool || value instanceof CUDAGraph),
    mode: oneOf('global', 'thread_local', 'relaxed'),
  },
);
const registerTakes = signature({ generator: kind('a Generator', (value) => Generator.idOf(value) !== undefined) });

export interface CaptureOptions {
  /** Memory that it shares, or a graph whose memory it shares: replay them in the order of their captures. Default: none. */
  pool?: MemoryPool | CUDAGraph;
  /** What other threads may do meanwhile, as CUDA's stream capture modes. Default: `global`, nothing that CUDA forbids. */
  mode?: 'global' | 'thread_local' | 'relaxed';
}

/**
 * Work of a GPU that is captured once and then started again and again, at the cost of one call. As `torch.cuda.CUDAGraph`.
 *
 * It works on the memory that it was captured with: write new inputs into the same tensors (`copy_`), read results from the
 * same ones, and keep all of them for as long as it is replayed. Warm the work up on a side stream before capturing it.
 *
 * @throws AiforgeError DEVICE_UNAVAILABLE where there is no device.
 * @example
 * import { cuda, scope, zeros } from 'aiforge';
 * if (cuda.isAvailable()) {
 *   const [x, y] = [zeros([64], { device: 'cuda' }), zeros([64], { device: 'cuda' })];
 *   const work = () => scope(() => void y.copy_(x.mul(2).add(1)));
 *   const side = new cuda.Stream();
 *   side.run(work); // warms up
 *   side.synchronize();
 *   const graph = new cuda.CUDAGraph();
 *   graph.capture(work);
 *   x.fill_(3);
 *   graph.replay();
 *   console.log(y.at(0).item()); // 7
 * }
 */
export class CUDAGraph {
  readonly #native: NativeGraph;

  constructor() {
    this.#native = flavour().openGraph();
  }

  /**
   * Captures what a synchronous function puts into the current stream, instead of doing it. The function may not wait for the
   * GPU: no `item()`, no copies to the CPU.
   *
   * @throws AiforgeError OPERATOR_FAILED for what cannot be captured; INVALID_ARGUMENT when the function returns a promise.
   */
  capture(body: () => void, options: CaptureOptions = {}): void {
    captureTakes.check('CUDAGraph.capture', arguments);
    const { pool, mode = 'global' } = options;
    const shared = pool instanceof CUDAGraph ? flavour().poolOf(pool.#native) : (pool?.native ?? null);
    synchronize();
    emptyCache();
    const stream = new Stream();
    stream.waitStream(currentStream());
    stream.run(() => {
      flavour().captureBegin(this.#native, shared, mode);
      let failure: unknown;
      try {
        callNow('CUDAGraph.capture', body, []);
      } catch (error) {
        failure = error;
      }
      try {
        flavour().captureEnd(this.#native);
      } catch (error) {
        // What spoilt the capture says more than that it was spoilt.
        failure ??= error;
      }
      if (failure !== undefined) throw failure as Error;
    });
    currentStream().waitStream(stream);
  }

  /**
   * Has the draws from a generator of this device go on from replay to replay, as those from the default one do. Call it before
   * `capture`.
   */
  registerGeneratorState(generator: Generator): void {
    registerTakes.check('CUDAGraph.registerGeneratorState', arguments);
    flavour().registerGenerator(this.#native, Generator.idOf(generator)!);
  }

  /** Puts the captured work into the current stream. Throws OPERATOR_FAILED before `capture`. */
  replay(): void {
    flavour().replay(this.#native);
  }

  /** Lets go of the captured work and its memory; it can be captured anew. */
  reset(): void {
    flavour().resetGraph(this.#native);
  }
}
