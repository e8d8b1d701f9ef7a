import { Buffer } from 'node:buffer';
import { Counter } from '../counter.js';
import { AiforgeError } from '../errors.js';
import type { OpenFile } from '../tensor/files/openFile.js';
import { Tensor } from '../tensor/tensor.js';
import { Global, type PickleHost } from './pickleReader.js';
import type { Storage, Storages } from './storages.js';
import { TensorMaker } from './tensors.js';

type Make = (args: readonly unknown[]) => unknown;

/** What else than its elements an object of a file has, by the object. */
export type Attributes = Map<object, Map<unknown, unknown>>;

/** Makes what the globals of a file stand for; none of them is run. */
export class Rebuild implements PickleHost {
  readonly tensors: TensorMaker;
  readonly attributes: Attributes = new Map();
  readonly #file: OpenFile;
  readonly #storages: Storages;

  constructor(file: OpenFile, storages: Storages) {
    this.#file = file;
    this.#storages = storages;
    this.tensors = new TensorMaker(file);
  }

  invalid(reason: string): AiforgeError {
    return this.#file.invalid(reason);
  }

  load(id: readonly unknown[]): Storage {
    return this.#storages.find(id);
  }

  call(name: string, args: readonly unknown[]): unknown {
    const make = this.#makers.get(name);
    if (make === undefined) {
      throw this.#file.unsupported(
        `an object of ${name}, which load does not read. Save state_dict(), tensors, numbers, texts, lists and dictionaries alone`,
      );
    }
    try {
      return make(args);
    } catch (cause) {
      if (cause instanceof AiforgeError && (cause.code === 'FILE_INVALID' || cause.code === 'OUT_OF_MEMORY'))
        throw cause;
      throw this.#file.invalid(`what it gives ${name} is refused: ${(cause as Error).message}`, cause);
    }
  }

  build(target: unknown, state: unknown): void {
    if (!(target instanceof Map)) throw this.invalid('its pickle gives attributes to what is no dictionary');
    this.#attach(target, state);
  }

  #attach<T extends object>(target: T, state: unknown): T {
    if (!(state instanceof Map)) throw this.invalid('its pickle has malformed attributes');
    const known = this.attributes.get(target) ?? new Map<unknown, unknown>();
    for (const [name, value] of state as Map<unknown, unknown>) known.set(name, value);
    if (known.size > 0) this.attributes.set(target, known);
    return target;
  }

  readonly #makers = new Map<string, Make>([
    ['collections.OrderedDict', ([items]) => new Map((items ?? []) as [unknown, unknown][])],
    ['collections.Counter', ([counts]) => new Counter(counts as Map<number, number>)],
    ['collections.defaultdict', () => new Map()],
    ['torch._utils._rebuild_tensor', (args) => this.tensors.strided(args)],
    ['torch._utils._rebuild_tensor_v2', (args) => this.tensors.strided(args)],
    ['torch._utils._rebuild_tensor_v3', (args) => this.tensors.strided(args.toSpliced(6, 1), args[6] ?? null)],
    ['torch._utils._rebuild_qtensor', (args) => this.tensors.quantized(args)],
    ['torch._utils._rebuild_sparse_tensor', (args) => this.tensors.sparse(args)],
    ['torch._utils._rebuild_meta_tensor_no_storage', (args) => this.tensors.meta(args)],
    ['torch._utils._rebuild_parameter', ([data, requiresGrad]) => this.tensors.leaf(data, requiresGrad)],
    ['torch._utils._rebuild_parameter_with_state', (args) => this.#parameterWithState(args)],
    ['torch.nn.parameter.Parameter', ([data, requiresGrad]) => this.tensors.leaf(data, requiresGrad ?? true)],
    ['torch._tensor._rebuild_from_type_v2', (args) => this.#fromType(args)],
    ['torch.serialization._get_layout', ([name]) => String(name).replace(/^torch\./, '')],
    ['torch.Size', ([sizes]) => sizes ?? []],
    ['torch.device', ([type, index]) => (index == null ? type : `${type as string}:${index as number}`)],
    ['_codecs.encode', ([text, encoding]) => this.#bytes(text, encoding)],
    ...['__builtin__', 'builtins'].flatMap((module): [string, Make][] => [
      [`${module}.set`, ([items]) => new Set((items ?? []) as unknown[])],
      [`${module}.complex`, ([re, im]) => ({ re, im })],
      [`${module}.bytes`, ([content]) => this.#bytes(content ?? '', 'latin1')],
      [`${module}.bytearray`, ([content, encoding]) => this.#bytes(content ?? '', encoding ?? 'latin1')],
    ]),
  ]);

  // Python writes bytes as the text that has their values as its characters.
  #bytes(content: unknown, encoding: unknown): Uint8Array {
    if (content instanceof Uint8Array) return content.slice();
    if (Array.isArray(content)) return Uint8Array.from(content as number[]);
    const isLatin1 = typeof encoding === 'string' && /^latin-?1$/.test(encoding);
    if (typeof content !== 'string' || !isLatin1 || !/^[\0-\xff]*$/.test(content)) {
      throw this.invalid('it has malformed bytes');
    }
    return new Uint8Array(Buffer.from(content, 'latin1'));
  }

  #parameterWithState([data, requiresGrad, , state]: readonly unknown[]): Tensor {
    return this.#attach(this.tensors.leaf(data, requiresGrad), state);
  }

  #fromType([make, type, args, state]: readonly unknown[]): Tensor {
    if (!(make instanceof Global) || !(type instanceof Global) || !Array.isArray(args)) {
      throw this.invalid('it has a malformed tensor');
    }
    if (type.name !== 'torch.Tensor' && type.name !== 'torch.nn.parameter.Parameter') {
      throw this.#file.unsupported(`a tensor of the class ${type.name}, which load does not read`);
    }
    const tensor = this.call(make.name, args as unknown[]);
    if (!Tensor.isTensor(tensor)) throw this.invalid('it has a malformed tensor');
    return this.#attach(tensor, state);
  }
}
