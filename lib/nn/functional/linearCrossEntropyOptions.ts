import { boolean, count, kind, oneOf, orNull, type Kind } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { DType } from '../../tensor/dtype.js';
import { pythonBoolean } from '../printing/printing.js';
import { refuse } from './reductions.js';

/** What is kept in the wider dtype, and how the weight's gradient is added up. */
export type AccumulationPolicy = 'auto' | 'accurate' | 'balanced' | 'compact';

export interface LinearCrossEntropySettings {
  /** Keeps the gradients that `'mean'` and `'sum'` precompute, so that backward can run again. Default: false. */
  allowRetainGraph?: boolean;
  /** Rows of the batch at a time. Default: as `chunkingMethod` has it. */
  batchChunkSize?: number | null;
  /**
   * How the rows are chosen: `'aspect_ratio'` makes a chunk's logits as large as the input, `'aspect_ratio:N'` an Nth of
   * that, `'auto'` is one of the two, null takes `batchChunkSize`. Default: `'auto'`.
   */
  chunkingMethod?: string | null;
  /** `'auto'` is `'accurate'` for float16 and bfloat16 on the CPU, else `'compact'`. Default: `'auto'`. */
  accPolicy?: AccumulationPolicy;
  /** The dtype to accumulate in. Default: float32 for halves with `accPolicy: 'auto'`, else the input's. */
  accDtype?: DType | null;
}

/** Settings with every choice made, for one call. */
export interface ChunkPlan {
  readonly allowRetainGraph: boolean;
  readonly batchChunkSize: number;
  readonly accPolicy: Exclude<AccumulationPolicy, 'auto'>;
  readonly accDtype: DType;
}

const chunkingMethod = kind<string>(
  "'auto', 'aspect_ratio' or 'aspect_ratio:N'",
  (value) => typeof value === 'string' && /^(auto|aspect_ratio(:0*[1-9]\d*)?)$/.test(value),
);
const accDtype: Kind<DType> = oneOf<DType>('float16', 'bfloat16', 'float32', 'float64');

const settingsTakes = signature<LinearCrossEntropySettings>(
  {},
  {
    allowRetainGraph: boolean,
    batchChunkSize: orNull(count),
    chunkingMethod: orNull(chunkingMethod),
    accPolicy: oneOf('auto', 'accurate', 'balanced', 'compact'),
    accDtype: orNull(accDtype),
  },
);

const isHalf = (dtype: DType): boolean => dtype === 'float16' || dtype === 'bfloat16';

/** What a call is about, as far as the choices go. */
export interface ChunkedCall {
  readonly batch: number;
  readonly features: number;
  readonly classes: number;
  readonly dtype: DType;
  readonly onCpu: boolean;
}

/**
 * How `linearCrossEntropy` cuts the batch, so that the logits of all rows never exist at once: worth it where there are
 * many more classes than features. As `torch.nn.LinearCrossEntropyOptions`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown policy, method or dtype and a chunk that is no positive number.
 * @example
 * import { nn, randn, tensor } from 'aiforge';
 * const options = new nn.LinearCrossEntropyOptions({ batchChunkSize: 2 });
 * const loss = new nn.LinearCrossEntropyLoss(4, 100, { options });
 * loss.forward(randn([3, 4]), tensor([0, 50, 99])).shape; // []
 */
export class LinearCrossEntropyOptions {
  readonly allowRetainGraph: boolean;
  readonly batchChunkSize: number | null;
  readonly chunkingMethod: string | null;
  readonly accPolicy: AccumulationPolicy;
  readonly accDtype: DType | null;

  constructor(settings: LinearCrossEntropySettings = {}) {
    settingsTakes.check(new.target.name, arguments);
    const {
      allowRetainGraph = false,
      batchChunkSize = null,
      chunkingMethod = 'auto',
      accPolicy = 'auto',
      accDtype = null,
    } = settings;
    this.allowRetainGraph = allowRetainGraph;
    this.batchChunkSize = batchChunkSize;
    this.chunkingMethod = chunkingMethod;
    this.accPolicy = accPolicy;
    this.accDtype = accDtype;
  }

  /** @internal The options themselves, or made of settings. */
  static of(given: LinearCrossEntropySettings | null): LinearCrossEntropyOptions | null {
    return given === null || given instanceof LinearCrossEntropyOptions ? given : new LinearCrossEntropyOptions(given);
  }

  /** @internal The choices for one call. */
  planFor(call: ChunkedCall): ChunkPlan {
    const { allowRetainGraph, batchChunkSize: given, accPolicy } = this;
    const halvesOnCpu = call.onCpu && isHalf(call.dtype);
    const method = this.chunkingMethod === 'auto' && given !== null ? null : this.chunkingMethod;
    const chosen = method === 'auto' ? (halvesOnCpu ? 'aspect_ratio' : 'aspect_ratio:2') : method;
    const size = chosen === null ? Math.min(given ?? call.batch, call.batch) : chunkSize(call, chosen);
    if (chosen !== null && given !== null && given !== size) {
      const problem = `batchChunkSize ${given} and chunkingMethod '${chosen}', which gives ${size}, differ`;
      refuse('LinearCrossEntropyOptions', `${problem}: give only one`);
    }
    const wide = accPolicy === 'auto' && isHalf(call.dtype) ? 'float32' : call.dtype;
    return {
      allowRetainGraph,
      batchChunkSize: Math.max(1, size),
      accPolicy: accPolicy === 'auto' ? (halvesOnCpu ? 'accurate' : 'compact') : accPolicy,
      accDtype: this.accDtype ?? wide,
    };
  }

  toString(): string {
    const text = (value: string | null): string => (value === null ? 'None' : `'${value}'`);
    const fields = [
      `allow_retain_graph=${pythonBoolean(this.allowRetainGraph)}`,
      `batch_chunk_size=${this.batchChunkSize ?? 'None'}`,
      `chunking_method=${text(this.chunkingMethod)}`,
      `acc_policy=${text(this.accPolicy)}`,
      `acc_dtype=${this.accDtype === null ? 'None' : `torch.${this.accDtype}`}`,
    ];
    return `LinearCrossEntropyOptions(${fields.join(', ')})`;
  }
}

// A chunk's logits as large as the input: the next power of two of the batch's share.
function chunkSize({ batch, features, classes }: ChunkedCall, method: string): number {
  const factor = Number(method.split(':')[1] ?? 1);
  const target = Math.ceil(batch / Math.ceil(classes / features));
  return Math.min(Math.floor(2 ** Math.ceil(Math.log2(Math.max(1, target))) / factor), batch);
}
