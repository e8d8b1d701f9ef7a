import { writeFileAtomic } from '../atomicFile.js';
import { AiforgeError } from '../errors.js';
import { anything, string } from '../kinds.js';
import { signature } from '../signature.js';
import { native } from '../native.js';
import { noGrad } from '../autograd/modes.js';
import { aten } from '../tensor/aten.js';
import { scope } from '../tensor/scope.js';
import { handleOf, Tensor } from '../tensor/tensor.js';
import { Call, GlobalName, PersistentId, PickleWriter, Tuple } from './pickleWriter.js';
import { storageTypes, untypedStorage } from './storageTypes.js';
import { zipChunks, type ZipEntry } from './zipWriter.js';

const negView = aten('_neg_view');

const typeOf = new Map([...storageTypes].map(([type, dtype]) => [dtype, type]));

const globalOf = (dotted: string): GlobalName => {
  const at = dotted.lastIndexOf('.');
  return new GlobalName(dotted.slice(0, at), dotted.slice(at + 1));
};

/** The elements of one memory that the tensors of a file need, from the first to the last. */
interface Memory {
  readonly key: string;
  readonly tensor: Tensor;
  first: number;
  last: number;
}

const NOWHERE = 0n;

/** Finds which tensors share memory, which is written once. */
class Memories {
  readonly #byPlace = new Map<string, Memory>();
  readonly all: Memory[] = [];

  of(tensor: Tensor): Memory {
    const start = native.dataPtr(handleOf(tensor));
    const base = start - BigInt(tensor.storageOffset() * tensor.elementSize());
    const place = start === NOWHERE ? `empty ${this.all.length}` : `${tensor.device} ${tensor.dtype} ${base}`;
    let memory = this.#byPlace.get(place);
    if (memory === undefined) {
      memory = { key: String(this.all.length), tensor, first: Infinity, last: 0 };
      this.#byPlace.set(place, memory);
      this.all.push(memory);
    }
    if (tensor.numel() > 0) {
      const first = tensor.storageOffset();
      const reach = tensor.stride().reduce((sum, stride, i) => sum + stride * (tensor.size(i) - 1), first);
      memory.first = Math.min(memory.first, first);
      memory.last = Math.max(memory.last, reach + 1);
    }
    return memory;
  }
}

function* tensorsIn(value: unknown, seen = new Set<unknown>()): Generator<Tensor> {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (Tensor.isTensor(value)) yield value;
  else for (const item of value instanceof Map ? value.values() : Object.values(value)) yield* tensorsIn(item, seen);
}

function check(tensor: Tensor): void {
  if (tensor.layout === 'strided' && tensor.device !== 'meta') return;
  const kind = tensor.device === 'meta' ? 'without data (meta)' : `of layout ${tensor.layout}`;
  throw new AiforgeError('INVALID_ARGUMENT', `save: a tensor ${kind} cannot be saved; convert it first.`);
}

/** How Python rebuilds a tensor on its storage. */
function rebuild(tensor: Tensor, { key, first, last }: Memory): Call {
  const isEmpty = last === 0;
  const count = isEmpty ? 0 : last - first;
  const type = typeOf.get(tensor.dtype);
  const length = type === undefined ? count * tensor.elementSize() : count;
  const storage = new Tuple(['storage', globalOf(type ?? untypedStorage), key, tensor.device, length]);
  const args = [
    new PersistentId(storage),
    isEmpty ? 0 : tensor.storageOffset() - first,
    new Tuple(tensor.shape),
    new Tuple(tensor.stride()),
    tensor.requiresGrad,
    new Call(globalOf('collections.OrderedDict'), []),
  ];
  const flags = new Map<string, boolean>();
  if (tensor.isConj()) flags.set('conj', true);
  if (tensor.isNeg()) flags.set('neg', true);
  const marks = flags.size === 0 ? [] : [flags];
  if (type !== undefined) return new Call(globalOf('torch._utils._rebuild_tensor_v2'), [...args, ...marks]);
  const dtype = globalOf(`torch.${tensor.dtype}`);
  return new Call(globalOf('torch._utils._rebuild_tensor_v3'), [...args, dtype, ...marks]);
}

function bytesOf({ tensor, first, last }: Memory): Uint8Array {
  if (last === 0) return new Uint8Array(0);
  return scope(() =>
    noGrad(() => {
      const whole = asStored(tensor.detach().asStrided([last - first], [1], first));
      return new Uint8Array(native.copyBytes(handleOf(whole)));
    }),
  );
}

/** The numbers as the memory holds them, which other tensors share: a conjugate or negative view says others. */
function asStored(view: Tensor): Tensor {
  const other = view.isConj() ? view.conj() : view;
  return other.isNeg() ? negView(other) : other;
}

function entries(value: unknown): ZipEntry[] {
  const memories = new Memories();
  const places = new Map<Tensor, Memory>();
  for (const tensor of tensorsIn(value)) {
    check(tensor);
    places.set(tensor, memories.of(tensor));
  }
  const encode = (item: object): object | undefined => {
    const memory = places.get(item as Tensor);
    return memory === undefined ? undefined : rebuild(item as Tensor, memory);
  };
  const text = (content: string) => (): Buffer => Buffer.from(content);
  const pickle = new PickleWriter(encode).pickle(value);
  return [
    { name: 'archive/data.pkl', bytes: () => pickle },
    { name: 'archive/byteorder', bytes: text('little') },
    ...memories.all.map((memory) => ({ name: `archive/data/${memory.key}`, bytes: () => bytesOf(memory) })),
    { name: 'archive/version', bytes: text('3\n') },
  ];
}

const saveTakes = signature({ value: anything, file: string });

/**
 * Writes tensors, numbers, texts, booleans, null, arrays, Maps and plain objects to a file that Python's `torch.load`
 * reads, with its default `weights_only=True` too; whole or not at all. Tensors that share memory share it when loaded.
 * Keys of plain objects are texts, but whole numbers where every key is one and every value an object, as in the state of
 * an optimizer; a Map's keys stay what they are. Whole numbers are Python's `int`, others `float`. As `torch.save`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for what is no data, such as a module: save its `stateDict()`.
 * @example
 * import { load, nn, optim, save } from 'aiforge';
 * const model = new nn.Linear(2, 1);
 * const optimizer = new optim.Adam(model.parameters());
 * save({ model: model.stateDict(), optimizer: optimizer.stateDict(), epoch: 3 }, '/tmp/checkpoint.pt');
 * load<{ epoch: number }>('/tmp/checkpoint.pt').epoch; // 3
 */
export function save(value: unknown, file: string): void {
  saveTakes.check('save', arguments);
  writeFileAtomic(file, zipChunks(entries(value)));
}
