import * as cuda from '../cuda/index.js';
import { AiforgeError } from '../errors.js';
import { count, either, listOf, oneOf, optional, size, string } from '../kinds.js';
import { didYouMean } from '../nearest.js';
import { signature } from '../signature.js';
import { takeStack } from '../stack.js';
import type { MakingCall } from './groupMaking.js';
import type { ProcessGroup } from './processGroup.js';
import { makeGroup } from './subgroups.js';
import { defaultProcessGroup } from './world.js';

export type MeshDeviceType = 'cpu' | 'cuda';

const meshTakes = signature<{ meshDimNames?: readonly string[] }>(
  { deviceType: oneOf<MeshDeviceType>('cpu', 'cuda'), meshShape: listOf(count) },
  { meshDimNames: listOf(string) },
);
const dimension = either(size, string);
const dimTakes = signature({ meshDim: optional(dimension) });
const namesTake = signature({ meshDimNames: listOf(string) });

function refuse(problem: string): never {
  throw new AiforgeError('INVALID_ARGUMENT', `DeviceMesh: ${problem}.`);
}

/** A dimension of a mesh, for one rank. */
interface Axis {
  size: number;
  name: string | undefined;
  /** The ranks that differ from this one in this dimension alone. */
  group: ProcessGroup;
}

const key = Symbol('DeviceMesh');

/**
 * The ranks as a grid: each dimension has a group of the ranks that differ in it alone, such as those that hold copies of a model and
 * those that share its parts. As `torch.distributed.device_mesh.DeviceMesh`; `initDeviceMesh` makes it.
 */
export class DeviceMesh {
  readonly deviceType: MeshDeviceType;
  readonly #axes: readonly Axis[];
  readonly #coordinate: readonly number[];
  /** The ranks of this mesh, in row-major order. */
  readonly #ranks: readonly number[];

  private constructor(
    token: symbol,
    deviceType: MeshDeviceType,
    axes: readonly Axis[],
    coordinate: readonly number[],
    ranks: readonly number[],
  ) {
    if (token !== key) refuse('the ranks make it together; write await initDeviceMesh(deviceType, meshShape)');
    this.deviceType = deviceType;
    this.#axes = axes;
    this.#coordinate = coordinate;
    this.#ranks = ranks;
  }

  /** @internal */
  static of(
    deviceType: MeshDeviceType,
    axes: readonly Axis[],
    coordinate: readonly number[],
    ranks: readonly number[],
  ): DeviceMesh {
    return new DeviceMesh(key, deviceType, axes, coordinate, ranks);
  }

  /** How many ranks each dimension has. */
  get shape(): number[] {
    return this.#axes.map(({ size }) => size);
  }

  get ndim(): number {
    return this.#axes.length;
  }

  /** The names of the dimensions; null without. */
  get meshDimNames(): string[] | null {
    const names = this.#axes.map(({ name }) => name);
    return names.every((name) => name !== undefined) ? names : null;
  }

  /** The ranks, by their numbers in the default group, in row-major order. */
  get ranks(): number[] {
    return [...this.#ranks];
  }

  /** How many ranks a dimension has, by number or name. Default: all dimensions together. */
  size(meshDim?: number | string): number {
    dimTakes.check('DeviceMesh.size', arguments);
    return meshDim === undefined ? this.#ranks.length : this.#axis(meshDim).size;
  }

  /** The group of the ranks that differ from this one in a dimension alone. A mesh of one dimension needs no number. */
  getGroup(meshDim?: number | string): ProcessGroup {
    dimTakes.check('DeviceMesh.getGroup', arguments);
    return this.#axis(meshDim ?? this.#onlyDim('getGroup')).group;
  }

  /** The groups of all dimensions. */
  getAllGroups(): ProcessGroup[] {
    return this.#axes.map(({ group }) => group);
  }

  /** This rank's number within a dimension. A mesh of one dimension needs no number. */
  getLocalRank(meshDim?: number | string): number {
    dimTakes.check('DeviceMesh.getLocalRank', arguments);
    return this.#coordinate[this.#indexOf(meshDim ?? this.#onlyDim('getLocalRank'))]!;
  }

  /** Where this rank is in the mesh. */
  getCoordinate(): number[] {
    return [...this.#coordinate];
  }

  /**
   * The mesh of some dimensions, by name and in the order of this one's, that has this rank. As `mesh['dp']` in Python.
   *
   * @example
   * import { getWorldSize, initDeviceMesh, initProcessGroup } from 'aiforge/distributed';
   * await initProcessGroup();
   * const mesh = await initDeviceMesh('cpu', [getWorldSize(), 1], { meshDimNames: ['dp', 'tp'] });
   * mesh.slice(['dp']).size(); // the number of ranks
   */
  slice(meshDimNames: readonly string[]): DeviceMesh {
    namesTake.check('DeviceMesh.slice', arguments);
    const dims = meshDimNames.map((name) => this.#indexOf(name));
    if (dims.length === 0) refuse('slice needs the name of a dimension');
    if (dims.some((dim, i) => i > 0 && dim <= dims[i - 1]!)) {
      refuse(
        `slice takes dimensions once and in their order, ${this.meshDimNames!.join(', ')}; got ${meshDimNames.join(', ')}`,
      );
    }
    const axes = dims.map((dim) => this.#axes[dim]!);
    const coordinate = dims.map((dim) => this.#coordinate[dim]!);
    return DeviceMesh.of(this.deviceType, axes, coordinate, this.#ranksAlong(dims));
  }

  /** The ranks whose other coordinates are this one's. */
  #ranksAlong(dims: readonly number[]): number[] {
    const isHere = (index: number): boolean =>
      coordinateOf(index, this.shape).every((at, dim) => dims.includes(dim) || at === this.#coordinate[dim]);
    return this.#ranks.filter((_, index) => isHere(index));
  }

  #onlyDim(call: string): number {
    if (this.ndim === 1) return 0;
    return refuse(`${call} of a mesh of ${this.ndim} dimensions needs one of them`);
  }

  #indexOf(dim: number | string): number {
    if (typeof dim === 'number') {
      return dim < this.ndim ? dim : refuse(`there is no dimension ${dim}, only 0 … ${this.ndim - 1}`);
    }
    const names = this.meshDimNames;
    if (names === null) refuse(`there is no dimension '${dim}': the mesh was made without meshDimNames`);
    const index = names.indexOf(dim);
    return index === -1
      ? refuse(`there is no dimension '${dim}'.${didYouMean(dim, names)} It has ${names.join(', ')}`)
      : index;
  }

  #axis(dim: number | string): Axis {
    return this.#axes[this.#indexOf(dim)]!;
  }
}

function coordinateOf(index: number, shape: readonly number[]): number[] {
  const coordinate: number[] = [];
  for (const size of [...shape].reverse()) {
    coordinate.unshift(index % size);
    index = Math.floor(index / size);
  }
  return coordinate;
}

/** The lines of a mesh along a dimension: the ranks that differ in it alone. */
function linesAlong(dim: number, shape: readonly number[], worldSize: number): number[][] {
  const lines = new Map<string, number[]>();
  for (let rank = 0; rank < worldSize; rank++) {
    const others = coordinateOf(rank, shape).map((at, i) => (i === dim ? -1 : at));
    const line = lines.get(others.join()) ?? [];
    lines.set(others.join(), [...line, rank]);
  }
  return [...lines.values()];
}

async function openAxis(
  call: MakingCall,
  dim: number,
  shape: readonly number[],
  name: string | undefined,
): Promise<Axis> {
  const whole = defaultProcessGroup();
  const lines = linesAlong(dim, shape, whole.worldSize);
  if (lines.length === 1) return { size: shape[dim]!, name, group: whole };
  let group: ProcessGroup | null = null;
  for (const line of lines) group = (await makeGroup(call, line)) ?? group;
  return { size: shape[dim]!, name, group: group! };
}

/**
 * Arranges all ranks as a grid, with a group for each of its lines. Every rank must call it. As
 * `torch.distributed.init_device_mesh`.
 *
 * @throws AiforgeError DEVICE_UNAVAILABLE for `'cuda'` where this rank has no GPU.
 * @example
 * import { getWorldSize, initDeviceMesh, initProcessGroup } from 'aiforge/distributed';
 * await initProcessGroup(); // such as 8 ranks, as 4 copies of 2 parts: [4, 2]
 * const mesh = await initDeviceMesh('cpu', [getWorldSize(), 1], { meshDimNames: ['dp', 'tp'] });
 * await mesh.getGroup('dp').barrier();
 */
export async function initDeviceMesh(
  deviceType: MeshDeviceType,
  meshShape: readonly number[],
  options: { meshDimNames?: readonly string[] } = {},
): Promise<DeviceMesh> {
  meshTakes.check('initDeviceMesh', arguments);
  const call = { name: 'initDeviceMesh', stack: takeStack(initDeviceMesh) };
  const { meshDimNames: names } = options;
  const { rank, worldSize } = defaultProcessGroup();
  checkMesh(meshShape, names, worldSize);
  checkDevice(deviceType);
  const axes: Axis[] = [];
  for (let dim = 0; dim < meshShape.length; dim++) axes.push(await openAxis(call, dim, meshShape, names?.[dim]));
  const ranks = Array.from({ length: worldSize }, (_, i) => i);
  return DeviceMesh.of(deviceType, axes, coordinateOf(rank, meshShape), ranks);
}

function checkMesh(shape: readonly number[], names: readonly string[] | undefined, worldSize: number): void {
  const product = shape.reduce((all, size) => all * size, 1);
  if (shape.length === 0 || product !== worldSize) {
    refuse(
      `a mesh of ${shape.length === 0 ? 'no dimension' : shape.join(' × ')} has ${product} ranks, but there are ${worldSize}`,
    );
  }
  if (names === undefined) return;
  if (names.length !== shape.length) refuse(`got ${names.length} meshDimNames for ${shape.length} dimensions`);
  if (new Set(names).size !== names.length) refuse(`meshDimNames must differ, got ${names.join(', ')}`);
}

/** Gloo serves both kinds of tensors, NCCL those of GPUs alone. Throws DEVICE_UNAVAILABLE where this rank has no GPU for the mesh. */
function checkDevice(deviceType: MeshDeviceType): void {
  if (deviceType === 'cuda') void cuda.currentDevice();
  if (deviceType === 'cuda' || defaultProcessGroup().backend !== 'nccl') return;
  refuse("the process group's backend is 'nccl', which does not serve 'cpu'");
}
