import { AiforgeError } from '../errors.js';
import { boolean, orNull } from '../kinds.js';
import { show } from '../show.js';
import { signature } from '../signature.js';
import { deviceKind, dtypeKind, memoryFormatKind } from '../tensor/dtypeKinds.js';
import { noGrad } from '../autograd/modes.js';
import { isDevice, isDType, type Device, type DType, type MemoryFormat } from '../tensor/dtype.js';
import { keep, scope } from '../tensor/memory/scope.js';
import { Tensor } from '../tensor/tensor.js';
import type { Module } from './module.js';
import { Parameter } from './parameter.js';
import { converted, members, registry, setMember } from './members/registry.js';
import { isUninitialized } from './uninitialized.js';

export interface ModuleToOptions {
  /** A floating-point or complex dtype for the floating-point and complex tensors. Default: their own. */
  dtype?: DType | null;
  /** Default: their own. */
  device?: Device | null;
  /** Copies to another device without waiting for it. Default: false. */
  nonBlocking?: boolean;
  /** The order in memory of tensors of four or five dimensions. Default: their own. */
  memoryFormat?: MemoryFormat | null;
}

const toTakes = signature<ModuleToOptions>(
  {},
  {
    dtype: orNull(dtypeKind),
    device: orNull(deviceKind),
    nonBlocking: boolean,
    memoryFormat: orNull(memoryFormatKind),
  },
);

const isFloating = (dtype: DType): boolean => /^(float|bfloat|complex)/.test(dtype);

/** What `Module.to` takes: a dtype, a device, both, a tensor that has both, or options. */
export type ModuleTarget = [
  target: DType | Device | Tensor | ModuleToOptions,
  second?: DType | ModuleToOptions,
  options?: ModuleToOptions,
];

export function readModuleTarget(given: ModuleTarget): ModuleToOptions {
  const target: ModuleToOptions = {};
  for (const item of given as readonly unknown[]) {
    if (Tensor.isTensor(item)) Object.assign(target, { dtype: item.dtype, device: item.device });
    else if (isDType(item)) target.dtype = item;
    else if (isDevice(item)) target.device = item;
    else if (typeof item === 'object' && item !== null) {
      toTakes.checkOptions('to', item, given);
      Object.assign(target, item);
    } else if (item !== undefined) {
      throw new AiforgeError('INVALID_ARGUMENT', `to: expected a dtype, a device or options, got ${show(item)}.`);
    }
  }
  if (target.dtype != null && !isFloating(target.dtype)) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `to('${target.dtype}'): a module's dtype must be a floating-point or complex one.`,
    );
  }
  return target;
}

/** The conversion of one tensor of a module. */
export function conversion({ dtype, device, nonBlocking, memoryFormat }: ModuleToOptions): (tensor: Tensor) => Tensor {
  return (tensor) =>
    tensor.to({
      dtype: isFloating(tensor.dtype) ? (dtype ?? null) : null,
      device: device ?? null,
      nonBlocking: nonBlocking ?? false,
      memoryFormat: tensor.dim() === 4 || tensor.dim() === 5 ? (memoryFormat ?? null) : null,
    });
}

/** The conversion of floating-point tensors, and of no complex ones, to a dtype. */
export const floatingTo =
  (dtype: DType) =>
  (tensor: Tensor): Tensor =>
    /^(float|bfloat)/.test(tensor.dtype) ? tensor.to(dtype) : tensor;

/** Converts every parameter, its gradient, and every buffer of a module in place. */
export function convertTensors(module: Module, convert: (tensor: Tensor) => Tensor, recurse: boolean): void {
  const known = new Map<Parameter, Parameter>();
  const convertOnce = (parameter: Parameter): Parameter => {
    const result = known.get(parameter) ?? convertParameter(parameter, convert);
    known.set(parameter, result).set(result, result);
    return result;
  };
  scope(() =>
    noGrad(() => {
      for (const owner of recurse ? module.modules() : [module]) {
        const { buffers } = owner[registry];
        for (const { property, value } of owner[members]()) {
          if (!(value instanceof Parameter) || buffers.has(property)) continue;
          const parameter = convertOnce(value);
          if (parameter !== value) owner[setMember](property, parameter);
        }
        for (const buffer of buffers.values()) {
          if (buffer.tensor !== null) buffer.tensor = convertBuffer(buffer.tensor, convert);
        }
        owner[converted]();
      }
    }),
  );
}

/** The same parameter with other data, or another where it cannot have that: on the device `meta`, and off it. */
function convertParameter(parameter: Parameter, convert: (tensor: Tensor) => Tensor): Parameter {
  const { grad } = parameter;
  const data = convert(parameter);
  if ((data.device === 'meta') !== (parameter.device === 'meta')) return parameter.copyWith(data);
  parameter.setData(data);
  if (grad !== null) parameter.grad = convert(grad);
  return parameter;
}

function convertBuffer(buffer: Tensor, convert: (tensor: Tensor) => Tensor): Tensor {
  const converted = convert(buffer);
  if (!isUninitialized(buffer)) return keep(converted);
  buffer.setData(converted);
  return buffer;
}
