import { noGrad } from '../autograd/modes.js';
import { native } from '../native.js';
import { aten } from '../tensor/calls/aten.js';
import { chunksOf } from '../tensor/files/bytes.js';
import type { DType } from '../tensor/dtype.js';
import { handleOf, type Tensor } from '../tensor/tensor.js';

const negView = aten('_neg_view');

// Of several dtypes, each must find its elements at a multiple of their size.
const ALIGNMENT = 16;
const NOWHERE = 0n;

/** The bytes of one memory that the tensors of a file need, from the first to the last. */
export class Memory {
  readonly key: string;
  /** A tensor over the memory: of them all one with the smallest elements, which end wherever another's do. */
  #tensor: Tensor;
  readonly #dtypes = new Set<DType>();
  #first = Infinity;
  #last = 0;

  constructor(key: string, tensor: Tensor) {
    this.key = key;
    this.#tensor = tensor;
  }

  add(tensor: Tensor): void {
    const itemBytes = tensor.elementSize();
    if (itemBytes < this.#tensor.elementSize()) this.#tensor = tensor;
    this.#dtypes.add(tensor.dtype);
    if (tensor.numel() === 0) return;
    const first = tensor.storageOffset();
    const reach = tensor.stride().reduce((sum, stride, i) => sum + stride * (tensor.size(i) - 1), first);
    this.#first = Math.min(this.#first, first * itemBytes);
    this.#last = Math.max(this.#last, (reach + 1) * itemBytes);
  }

  /** The dtype of all tensors over it; null where they have several. */
  get dtype(): DType | null {
    return this.#dtypes.size === 1 ? this.#tensor.dtype : null;
  }

  get device(): string {
    return this.#tensor.device;
  }

  /** Where it begins in the memory of the tensors, in bytes. */
  get start(): number {
    if (this.#last === 0) return 0;
    return this.dtype === null ? this.#first - (this.#first % ALIGNMENT) : this.#first;
  }

  get size(): number {
    return this.#last - this.start;
  }

  /** Its bytes, in pieces that are each overwritten by the next. */
  *chunks(): Generator<Uint8Array> {
    if (this.size === 0) return;
    const itemBytes = this.#tensor.elementSize();
    const whole = noGrad(() =>
      asStored(this.#tensor.detach().asStrided([this.size / itemBytes], [1], this.start / itemBytes)),
    );
    yield* chunksOf(whole);
  }
}

/** The numbers as the memory holds them, which other tensors share: a conjugate or negative view says others. */
function asStored(view: Tensor): Tensor {
  const other = view.isConj() ? view.conj() : view;
  return other.isNeg() ? negView(other) : other;
}

/** Finds which tensors share memory, which is written once. */
export class Memories {
  readonly #byPlace = new Map<string, Memory>();
  readonly #byTensor = new Map<Tensor, Memory>();
  readonly all: Memory[] = [];

  add(tensor: Tensor): void {
    if (this.#byTensor.has(tensor)) return;
    const place = this.#placeOf(tensor);
    let memory = this.#byPlace.get(place);
    if (memory === undefined) {
      memory = new Memory(String(this.all.length), tensor);
      this.#byPlace.set(place, memory);
      this.all.push(memory);
    }
    memory.add(tensor);
    this.#byTensor.set(tensor, memory);
  }

  of(tensor: Tensor): Memory {
    return this.#byTensor.get(tensor)!;
  }

  #placeOf(tensor: Tensor): string {
    const start = native.dataPtr(handleOf(tensor));
    if (start === NOWHERE) return `empty ${this.all.length}`;
    return `${tensor.device} ${start - BigInt(tensor.storageOffset() * tensor.elementSize())}`;
  }
}
