import { inspect } from 'node:util';

import { AiforgeError } from '../../errors.js';
import { anything, boolean, count, listOf, oneOf, optional, orNull, size, whole } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { noGrad } from '../../autograd/modes.js';
import type { Device, DType } from '../../tensor/dtype.js';
import { deviceKind, dtypeKind } from '../../tensor/dtypeKinds.js';
import { zeros } from '../../tensor/generated/functions.js';
import { scope } from '../../tensor/memory/scope.js';
import { Tensor } from '../../tensor/tensor.js';
import type { ModuleHookHandle } from '../hooks/hookLists.js';
import type { Module } from '../module.js';
import { addHook } from '../hooks/moduleHooks.js';
import { columns, formatSummary, type SummaryColumn, type TableOptions } from './summaryTable.js';
import { submodulesOf } from '../members/traversal.js';
import { isUninitialized } from '../uninitialized.js';
import { moduleKind } from '../moduleKinds.js';

export interface SummaryOptions {
  /** How many levels of submodules the table shows. Default: 3. */
  depth?: number;
  /** The table's columns. Default: `['outputSize', 'numParams']`. */
  colNames?: readonly SummaryColumn[];
  /** The width of a column. Default: 25. */
  colWidth?: number;
  /** Shows the names of the properties. Default: false. */
  varNames?: boolean;
  /** The dtypes of the inputs that are made from shapes. Default: float32. */
  dtypes?: readonly DType[];
  /** The device of the inputs that are made from shapes. Default: that of the first parameter. */
  device?: Device;
  /** Where a batch dimension of 1 is put into the given shapes. Default: they have one. */
  batchDim?: number | null;
  /** Whether the model runs in training or in evaluation. Default: `'eval'`. */
  mode?: 'train' | 'eval';
}

const summaryTakes = signature<SummaryOptions>(
  { model: moduleKind, input: optional(anything) },
  {
    depth: size,
    colNames: listOf(oneOf(...(Object.keys(columns) as SummaryColumn[]))),
    colWidth: count,
    varNames: boolean,
    dtypes: listOf(dtypeKind),
    device: deviceKind,
    batchDim: orNull(whole),
    mode: oneOf('train', 'eval'),
  },
);

/** The shape of the input, those of several inputs, the inputs themselves, or null to run nothing. */
export type SummaryInput = readonly number[] | readonly (readonly number[])[] | Tensor | readonly Tensor[] | null;

/**
 * One call of a module, or a container around such calls.
 *
 * @example
 * import { nn } from 'aiforge';
 * const model = new nn.Sequential(new nn.Conv2d(3, 8, 3), new nn.ReLU());
 * const [, conv] = nn.summary(model, [1, 3, 8, 8]).layers;
 * conv.className; // 'Conv2d'
 * conv.outputSize; // [1, 8, 6, 6]
 * conv.numParams; // 224
 * conv.multAdds; // 8064
 */
export class LayerSummary {
  readonly className: string;
  readonly name: string;
  readonly depth: number;
  /** Whether the module has no submodules. */
  readonly isLeaf: boolean;
  /** Which of the layers of its depth it is, from 1. */
  index = 0;
  /** Whether the module was called before. */
  isRecursive = false;
  inputSize: readonly number[] | null = null;
  outputSize: readonly number[] | null = null;
  readonly kernelSize: readonly number[] | null;
  numParams = 0;
  trainableParams = 0;
  paramBytes = 0;
  outputBytes = 0;
  /** Multiplications with additions, as the shapes of parameters and output tell. */
  multAdds = 0;
  /** The layers inside it, at every depth. */
  below: readonly LayerSummary[] = [];

  constructor(module: Module, name: string, depth: number) {
    this.className = module.constructor.name;
    this.name = name;
    this.depth = depth;
    this.isLeaf = submodulesOf(module).length === 0;
    const { kernelSize = null } = module as Module & { kernelSize?: number | readonly number[] | null };
    this.kernelSize = typeof kernelSize === 'number' ? [kernelSize] : kernelSize;
    this.countParams(module);
  }

  /** The parameters that belong to no layer inside it. */
  get leftoverParams(): number {
    return this.numParams - sum(this.ownBelow(), (layer) => (layer.isLeaf ? layer.numParams : layer.leftoverParams));
  }

  get leftoverTrainableParams(): number {
    const own = (layer: LayerSummary): number => (layer.isLeaf ? layer.trainableParams : layer.leftoverTrainableParams);
    return this.trainableParams - sum(this.ownBelow(), own);
  }

  private ownBelow(): LayerSummary[] {
    return this.below.filter((layer) => !layer.isRecursive);
  }

  /** @internal */
  countParams(module: Module): void {
    const parameters = countedParameters(module);
    this.numParams = sum(parameters, ({ count }) => count);
    this.trainableParams = sum(parameters, ({ count, trainable }) => (trainable ? count : 0));
    this.paramBytes = sum(parameters, ({ count, elementSize }) => count * elementSize);
  }

  /** @internal */
  finish(module: Module, args: readonly unknown[], output: unknown): void {
    this.countParams(module);
    this.inputSize = firstTensor(args)?.shape ?? [];
    const tensor = firstTensor(output);
    const shape = tensor?.shape ?? [];
    this.outputSize = shape;
    this.outputBytes = tensor === undefined ? 0 : tensor.numel() * tensor.elementSize();
    for (const { name, count } of countedParameters(module)) this.multAdds += this.callsOf(name, shape) * count;
  }

  /** How often a parameter's elements are multiplied. */
  private callsOf(name: string, shape: readonly number[]): number {
    const [batch = 1, ...rest] = shape;
    if (name === 'weight' || name === 'bias') {
      return this.className.includes('Conv') ? product([batch, ...rest.slice(1)]) : batch;
    }
    return /weight|bias/.test(name) ? product(shape.slice(0, 2)) : 0;
  }
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
const sum = <T>(items: readonly T[], value: (item: T) => number): number =>
  items.reduce((total, item) => total + value(item), 0);

/** The tensor whose shape stands for a value: the first of an array, the data of packed sequences. */
function firstTensor(value: unknown): Tensor | undefined {
  if (Tensor.isTensor(value)) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const item of Object.values(value)) {
    const found = firstTensor(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

interface Counted {
  readonly name: string;
  readonly count: number;
  readonly trainable: boolean;
  readonly elementSize: number;
}

/** The parameters of a module; of a pruned one what is left. */
function countedParameters(module: Module): Counted[] {
  const masks = new Map(module.namedBuffers());
  return [...module.namedParameters()].flatMap(([name, parameter]) => {
    if (isUninitialized(parameter)) return [];
    const [trainable, elementSize] = [parameter.requiresGrad, parameter.elementSize()];
    const pruned = name.endsWith('_orig') ? name.slice(0, -'_orig'.length) : name;
    const mask = pruned === name ? undefined : masks.get(`${pruned}_mask`);
    if (mask === undefined) return [{ name, count: parameter.numel(), trainable, elementSize }];
    return [{ name: pruned, count: Number(mask.sum().item()), trainable, elementSize }];
  });
}

/**
 * What `summary` found out about a model; printed it is a table.
 *
 * @example
 * import { nn } from 'aiforge';
 * const result = nn.summary(new nn.Sequential(new nn.Linear(4, 8), new nn.Linear(8, 2)), [32, 4]);
 * result.layers.length; // 3
 * result.paramBytes; // 232
 * result.totalMultAdds; // 1856
 */
export class ModelSummary {
  /** The layers in the order of their calls, each before those inside it. */
  readonly layers: readonly LayerSummary[];
  totalParams = 0;
  trainableParams = 0;
  totalMultAdds = 0;
  /** Null when the model was not run. */
  readonly inputBytes: number | null;
  /** Of the outputs of layers with parameters, and of their gradients. */
  outputBytes = 0;
  paramBytes = 0;
  private readonly table: TableOptions;

  /** @internal */
  constructor(layers: readonly LayerSummary[], inputBytes: number | null, table: TableOptions) {
    this.layers = layers;
    this.inputBytes = inputBytes;
    this.table = table;
    for (const layer of layers) this.add(layer);
  }

  private add(layer: LayerSummary): void {
    if (layer.isLeaf) {
      this.totalMultAdds += layer.multAdds;
      if (layer.numParams > 0) this.outputBytes += layer.outputBytes * 2;
    }
    if (layer.isRecursive) return;
    if (layer.isLeaf) this.paramBytes += layer.paramBytes;
    this.totalParams += Math.max(0, layer.isLeaf ? layer.numParams : layer.leftoverParams);
    this.trainableParams += Math.max(0, layer.isLeaf ? layer.trainableParams : layer.leftoverTrainableParams);
  }

  toString(): string {
    return formatSummary(this, this.table);
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** Where a module stands in the model. */
interface Place {
  readonly module: Module;
  readonly name: string;
  readonly depth: number;
  readonly parent: Place | null;
}

/** The places of all modules, of a shared one its last. */
function placesOf(model: Module): Map<Module, Place> {
  const places = new Map<Module, Place>();
  const visit = (place: Place): void => {
    places.set(place.module, place);
    for (const [name, module] of submodulesOf(place.module))
      visit({ module, name, depth: place.depth + 1, parent: place });
  };
  visit({ module: model, name: model.constructor.name, depth: 0, parent: null });
  return places;
}

class Recording {
  readonly layers: LayerSummary[] = [];
  private readonly seen = new Set<Module>();
  // The modules around the layer that was added last, by depth.
  private around: Module[] = [];

  /** Adds a layer, and before it the containers around it that are not called themselves. */
  add(place: Place): LayerSummary {
    const { module, name, depth, parent } = place;
    if (parent !== null && this.around[parent.depth] !== parent.module) this.add(parent);
    const layer = new LayerSummary(module, name, depth);
    layer.isRecursive = this.seen.has(module);
    this.seen.add(module);
    this.around = [...this.around.slice(0, depth), module];
    this.layers.push(layer);
    return layer;
  }

  finish(): LayerSummary[] {
    const indices: number[] = [];
    this.layers.forEach((layer, i) => {
      layer.index = indices[layer.depth] = (indices[layer.depth] ?? 0) + 1;
      const rest = this.layers.slice(i + 1);
      const end = rest.findIndex(({ depth }) => depth <= layer.depth);
      layer.below = end < 0 ? rest : rest.slice(0, end);
    });
    return this.layers;
  }
}

function run(model: Module, inputs: readonly Tensor[], mode: 'train' | 'eval'): LayerSummary[] {
  const recording = new Recording();
  const open = new Map<Module, LayerSummary>();
  const modes = Array.from(model.modules(), (module) => [module, module.training] as const);
  const handles: ModuleHookHandle[] = [];
  try {
    for (const place of placesOf(model).values()) {
      const { module } = place;
      handles.push(addHook(module, 'forwardPre', () => void open.set(module, recording.add(place))));
      const finish = (_: Module, args: readonly unknown[], output: unknown): void =>
        open.get(module)?.finish(module, args, output);
      handles.push(addHook(module, 'forward', finish));
    }
    model.train(mode === 'train');
    noGrad(() => (model as Module & { forward(...args: readonly Tensor[]): unknown }).forward(...inputs));
  } finally {
    for (const handle of handles) handle.remove();
    for (const [module, training] of modes) module.training = training;
  }
  return recording.finish();
}

/** The layers of a model that is not run. */
function list(model: Module): LayerSummary[] {
  const recording = new Recording();
  for (const place of placesOf(model).values()) recording.add(place);
  return recording.finish();
}

function inputsOf(
  model: Module,
  input: NonNullable<SummaryInput>,
  { dtypes, device, batchDim }: SummaryOptions,
): Tensor[] {
  const items = (Array.isArray(input) ? input : [input]) as readonly unknown[];
  if (items.length > 0 && items.every(Tensor.isTensor)) return items as Tensor[];
  const shapes = items.every((item) => typeof item === 'number') ? [items] : items;
  return shapes.map((shape, i) => {
    const isShape = Array.isArray(shape) && shape.every((size) => Number.isInteger(size) && (size as number) > 0);
    if (!isShape || shape.length === 0) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `summary: expected the shape of the input, such as [1, 3, 224, 224], those of several, or tensors, got ${show(input)}.`,
      );
    }
    const sizes = [...(shape as number[])];
    if (batchDim != null) sizes.splice(batchDim, 0, 1);
    const [first] = model.parameters();
    const place = device ?? first?.device ?? 'cpu';
    return zeros(sizes, { dtype: dtypes?.[i] ?? 'float32', device: place });
  });
}

/**
 * A table of a model's layers: the shapes of their outputs, their parameters, what they compute and how much memory that
 * takes. The model runs once on zeros of the given shapes, without gradients; it stays as it was, and no random numbers
 * are drawn in evaluation.
 *
 * @param input The shape of the input, those of several inputs, or the inputs themselves; null runs nothing.
 * @throws AiforgeError INVALID_ARGUMENT for what is no shape and for unknown columns.
 * @example
 * import { nn } from 'aiforge';
 * const model = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
 * const result = nn.summary(model, [32, 4]);
 * result.totalParams; // 58
 * result.layers[1].outputSize; // [32, 8]
 * console.log(String(result));
 */
export function summary(model: Module, input: SummaryInput = null, options: SummaryOptions = {}): ModelSummary {
  summaryTakes.check('summary', arguments);
  const { depth = 3, colWidth = 25, varNames = false, mode = 'eval' } = options;
  const colNames = options.colNames ?? (input === null ? ['numParams'] : ['outputSize', 'numParams']);
  const table = { depth, colNames, colWidth, varNames };
  if (input === null) return new ModelSummary(list(model), null, table);
  return scope(() => {
    const inputs = inputsOf(model, input, options);
    const bytes = sum(inputs, (tensor) => tensor.numel() * tensor.elementSize());
    return new ModelSummary(run(model, inputs, mode), bytes, table);
  });
}
