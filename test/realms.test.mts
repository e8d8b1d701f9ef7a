import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createContext, runInContext, runInNewContext } from 'node:vm';
import {
  AiforgeError,
  autograd,
  checkpoint,
  data,
  fromBuffer,
  fromTypedArray,
  func,
  load,
  memory,
  nn,
  noGrad,
  ones,
  optim,
  save,
  scope,
  tensor,
  testing,
  type Float16Elements,
  type Tensor,
} from 'aiforge';
import { copyOfLibrary } from './support/copies.mjs';

const made = (source: string): never => runInNewContext(source) as never;
const make = (source: string) => made(source) as (...given: unknown[]) => never;

describe('values of other realms', () => {
  it('are options, sizes, elements and indices', () => {
    expect(ones(made('[2]'), made("({ dtype: 'int32' })")).dtype).to.equal('int32');
    expect(tensor(made('[[1, 2], [3, 4]]')).at(made('[0]')).tolist()).to.deep.equal([[1, 2]]);
    expect(tensor(made('[new Float32Array([1, 2])]')).dtype).to.equal('float32');
    expect(tensor(made('new BigInt64Array([1n, 2n])')).dtype).to.equal('int64');
    const integers = tensor(made('[new BigInt64Array([1n, -(2n ** 63n)])]'));
    expect(integers.dtype).to.equal('int64');
    expect(integers.at(0, 1).item()).to.equal(-(2n ** 63n));
    expect(() => ones([1], made('({ dtypo: 1 })'))).to.throw(/has no option 'dtypo'/);
  });

  it('are memory, which is copied, shared and taken over as that of this realm', () => {
    expect(fromBuffer(made('new Uint8Array([1, 2]).buffer')).tolist()).to.deep.equal([1, 2]);
    expect(fromBuffer(made('new DataView(new ArrayBuffer(2))')).tolist()).to.deep.equal([0, 0]);
    const buffer = made('new SharedArrayBuffer(8)') as SharedArrayBuffer;
    const [whole, view] = [fromBuffer(buffer, { dtype: 'float32' }), fromTypedArray(new Float32Array(buffer))];
    const shared = fromTypedArray(make('(buffer) => new Float32Array(buffer)')(buffer));
    new Float32Array(buffer)[1] = 5;
    for (const each of [whole, view, shared]) expect(each.tolist()).to.deep.equal([0, 5]);
    const given = made('new Float32Array([1, 2])') as Float32Array;
    expect(fromTypedArray(given, { transfer: true }).tolist()).to.deep.equal([1, 2]);
    expect(given.length).to.equal(0);
  });

  it('hold tensors wherever objects, maps and sets do', () => {
    const map = () => make('(value) => new Map([["a", value]])')(ones([2])) as Map<string, Tensor>;
    const object = make('(value) => ({ a: value })');
    expect(scope(map).get('a')!.tolist()).to.deep.equal([1, 1]);
    expect(func.vmap((tree: Map<string, Tensor>) => tree.get('a')!.add(1))(map())).to.satisfy(
      (sum: Tensor) => String(sum.tolist()) === '2,2',
    );
    expect(func.vmap((tree: { a: Tensor }) => tree.a.add(1))(object(ones([2])))).to.satisfy(
      (sum: Tensor) => String(sum.tolist()) === '2,2',
    );
    testing.assertClose(map(), map());
    testing.assertClose(object(1), object(1));
    const linear = new nn.Linear(1, 1);
    const state = make('(entries) => new Map(entries)')(Object.entries(linear.stateDict()));
    expect(linear.loadStateDict(state).missingKeys).to.deep.equal([]);
    expect(data.defaultCollate(made('[{ x: [1] }, { x: [2] }]'))).to.have.keys('x');
    expect(new optim.SGD(linear.parameters(), made('({ lr: 0.5 })')).paramGroups[0]!.lr).to.equal(0.5);
  });

  it('are saved as those of this realm', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'aiforge-realms-'));
    try {
      const file = path.join(folder, 'values.pt');
      const values = make(`(tensor) => ({
        map: new Map([['w', tensor], [1, new Map([[2, 'two']])]]),
        set: new Set([1, 'a']),
        bytes: new Uint8Array([1, 255]),
      })`);
      save(values(ones([2])), file);
      const loaded = load<{ map: Map<unknown, unknown>; set: unknown; bytes: unknown }>(file);
      expect((loaded.map.get('w') as Tensor).tolist()).to.deep.equal([1, 1]);
      expect(loaded.map.get(1)).to.deep.equal(new Map([[2, 'two']]));
      expect(loaded.set).to.deep.equal(new Set([1, 'a']));
      expect(loaded.bytes).to.deep.equal(Uint8Array.of(1, 255));
      expect(() => save(made('new Date(0)'), file)).to.throw(AiforgeError, /^save: the value is 1970/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('are promises, which are refused and awaited as such', async () => {
    const promise = make('(value) => new Promise((resolve) => resolve(value))');
    const x = ones([1], { requiresGrad: true });
    expect(() => checkpoint((_x: Tensor) => promise(1) as Tensor, x)).to.throw(/returned a Promise/);
    expect(() =>
      autograd.savedTensorsHooks(
        () => promise(1),
        () => ones([1]),
        () => x.mul(x),
      ),
    ).to.throw(/returned a Promise/);
    expect(await noGrad((): Promise<number> => promise(3))).to.equal(3);
    await memory.detectLeaks((): Promise<void> => promise(undefined));
  });
});

describe('the library in another realm', () => {
  const realm = createContext({ process, console, setTimeout, queueMicrotask, structuredClone, WeakRef, URL });
  const other = copyOfLibrary(realm);
  const [ArrayOfRealm, ObjectOfRealm] = runInContext('[Array, Object]', realm) as [typeof Array, typeof Object];

  it('gives arrays and objects of its own realm', () => {
    const x = other.ones([2, 2], { requiresGrad: true });
    const lists: unknown[] = [
      x.shape,
      x.size(),
      x.stride(),
      x.tolist(),
      x.unbind(0),
      x.max(0),
      other.grad(x.sum(), x),
      other.ops.schemas(),
    ];
    for (const list of lists) expect(list).to.be.instanceOf(ArrayOfRealm).and.not.instanceOf(Array);
    expect(other.tensor({ re: 1, im: 2 }).item<never>()).to.be.instanceOf(ObjectOfRealm);
  });

  it('takes what this realm makes', () => {
    expect(
      other
        .ones([2], { dtype: 'int32' })
        .add(other.tensor([1, 2]))
        .tolist<number[]>()
        .join(),
    ).to.equal('2,3');
    expect(other.fromBuffer(new ArrayBuffer(2)).numel()).to.equal(2);
    const linear = new other.nn.Linear(1, 1);
    expect(linear.loadStateDict(new Map(Object.entries(linear.stateDict()))).missingKeys.length).to.equal(0);
  });
});

describe('a Float16Array', () => {
  it('is float16, as an element, as a whole and as memory', function () {
    const { Float16Array } = globalThis as { Float16Array?: { of(...numbers: number[]): Float16Elements } };
    if (Float16Array === undefined) {
      console.log(`      skipped: Node ${process.version} has no Float16Array`);
      return this.skip();
    }
    const halves = Float16Array.of(0.5, 2);
    for (const made of [tensor(halves), fromTypedArray(halves)]) {
      expect(made.dtype).to.equal('float16');
      expect(made.tolist()).to.deep.equal([0.5, 2]);
    }
    expect(fromTypedArray(halves, { dtype: 'float32' }).tolist()).to.deep.equal([0.5, 2]);
    expect(fromBuffer(halves.buffer as ArrayBuffer, { dtype: 'float16' }).tolist()).to.deep.equal([0.5, 2]);
  });
});
