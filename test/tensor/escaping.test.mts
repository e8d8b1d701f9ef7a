import { expect } from 'chai';
import { runInNewContext } from 'node:vm';
import { memory, nn, ones, scope, tensor, tensorsOf, type Tensor } from 'aiforge';

/** Runs a body that returns a structure; tells which of the tensors in it outlive the scope. */
function survivors(build: (one: () => Tensor) => unknown): boolean[] {
  const made: Tensor[] = [];
  scope(() =>
    build(() => {
      const next = ones([1]);
      made.push(next);
      return next;
    }),
  );
  return made.map((one) => !one.isDisposed);
}

describe('what leaves a scope', () => {
  const key = Symbol('key');
  const structures: Record<string, (one: () => Tensor) => unknown> = {
    'a tensor': (one) => one(),
    'nested arrays': (one) => [[one()], [[one()]]],
    'a sparse array': (one) => Object.assign(new Array(5), { 3: one() }),
    'symbol keys': (one) => ({ [key]: one() }),
    'objects without a prototype': (one) => Object.assign(Object.create(null) as object, { t: one(), [key]: one() }),
    'objects of another realm': (one) => {
      const other = runInNewContext('({ list: [], map: new Map() })') as {
        list: unknown[];
        map: Map<unknown, unknown>;
      };
      other.list.push(one());
      other.map.set(one(), one());
      return other;
    },
    'a getter': (one) => {
      const held = one();
      return {
        get t() {
          return held;
        },
      };
    },
    'maps and sets': (one) => new Map<unknown, unknown>([[one(), new Set([one()])]]),
    'subclasses of Map': (one) => new (class Named extends Map<string, Tensor> {})([['a', one()]]),
    'a holder of structures': (one) => {
      const held = [one(), { t: one() }];
      return { [tensorsOf]: () => held };
    },
    'a frozen object': (one) => Object.freeze({ t: one() }),
    'a Proxy of an object': (one) => new Proxy({ t: one() }, {}),
    'a cycle': (one) => {
      const a: Record<string, unknown> = { t: one() };
      const b = new Map<unknown, unknown>([['a', a]]);
      a.b = b;
      return [b, a, one()];
    },
    'one tensor many times': (one) => {
      const t = one();
      return [t, t, { t }];
    },
    'an object that holds one': (one) => ({ deep: { deeper: { deepest: [one()] } } }),
  };
  for (const [name, build] of Object.entries(structures)) {
    it(`is kept: ${name}`, () => {
      const alive = survivors(build);
      expect(alive).to.not.be.empty;
      expect(alive).to.deep.equal(alive.map(() => true));
    });
  }

  it('is kept: a module with parameters, buffers and what forward gave', () => {
    const { layer, y } = scope(() => {
      const layer = new nn.Linear(2, 3);
      return { layer, y: layer.forward(ones([1, 2])) };
    });
    expect(layer.weight.shape).to.deep.equal([3, 2]);
    expect(y.shape).to.deep.equal([1, 3]);
  });

  it('is kept: the named results of a tuple', () => {
    const result = scope(() => tensor([[1, 5, 3]]).max(1));
    expect(result.values.item()).to.equal(5);
    expect(result.indices.item()).to.equal(1);
    expect(result.indices).to.equal(result[1]);
  });

  it('is kept: a list of a hundred thousand links', () => {
    interface Link {
      t: Tensor | null;
      next: Link | null;
    }
    const list = scope(() => {
      let last: Link = { t: ones([1]), next: null };
      for (let i = 0; i < 100_000; ++i) last = { t: null, next: last };
      return last;
    });
    let end = list;
    while (end.next !== null) end = end.next;
    expect(end.t!.item()).to.equal(1);
  });

  it('is not kept: what hides in closures, promises, iterators and closed classes', () => {
    class Closed {
      constructor(readonly t: Tensor) {}
    }
    const alive = survivors((one) => {
      const hidden = one();
      return [() => hidden, Promise.resolve(one()), [one()].values(), new Closed(one()), new WeakRef(one())];
    });
    expect(alive).to.deep.equal([false, false, false, false, false]);
  });

  const hostile: Record<string, (t: Tensor) => unknown> = {
    'a getter that throws': (t) => ({
      t,
      get bad() {
        throw new RangeError('mine');
      },
    }),
    'a Proxy that throws for everything': () => {
      const refuse = () => {
        throw new RangeError('mine');
      };
      return new Proxy({}, { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse });
    },
    'a `then` that throws': (t) => ({
      t,
      get then() {
        throw new RangeError('mine');
      },
    }),
    'an iterator that throws': (t) =>
      Object.assign([t], {
        [Symbol.iterator]() {
          throw new RangeError('mine');
        },
      }),
    'a tensorsOf that throws': (t) => ({
      t,
      [tensorsOf]() {
        throw new RangeError('mine');
      },
    }),
  };
  for (const [name, build] of Object.entries(hostile)) {
    it(`does not keep the scope open: ${name}`, async () => {
      const before = memory.stats().scopes.length;
      let made: Tensor | undefined;
      const body = () => build((made = ones([1])));
      expect(() => scope(body)).to.throw(RangeError, 'mine');
      expect(memory.stats().scopes.length).to.equal(before);
      const later = scope(async () => {
        await Promise.resolve();
        return body();
      });
      const error: unknown = await later.then(
        () => null,
        (reason: unknown) => reason,
      );
      expect(error).to.be.instanceOf(RangeError);
      expect(memory.stats().scopes.length).to.equal(before);
      expect(ones([1]).isDisposed, 'the scope around holds again').to.equal(false);
      expect(made).to.not.equal(undefined);
    });
  }
});
