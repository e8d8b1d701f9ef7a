// Objects that fight back: what they do when they are looked at is thrown as a HostileError, to tell it from real failures.

export class HostileError extends Error {
  name = 'HostileError';
}

const refuse = () => {
  throw new HostileError('a hostile object was looked at');
};

const throwingHandler = new Proxy({}, { get: () => refuse });

/** Name → maker; `dispose` disposes the case's tensors, as code may that runs in the middle of a call. */
export const hostileMakers = {
  throwingGetter: () =>
    Object.defineProperties({}, { re: { get: refuse, enumerable: true }, im: { get: refuse, enumerable: true } }),
  throwingProxy: () => new Proxy({}, throwingHandler),
  arrayProxy: () => new Proxy([1, 2], {}),
  throwingArrayProxy: () => new Proxy([1, 2], throwingHandler),
  revokedProxy() {
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    return proxy;
  },
  coercingThrows: () => ({ [Symbol.toPrimitive]: refuse, valueOf: refuse, toString: refuse }),
  coercingDisposes: (dispose) => ({
    [Symbol.toPrimitive]() {
      dispose();
      return 1;
    },
  }),
  complexDisposes: (dispose) => ({
    get re() {
      dispose();
      return 1;
    },
    im: 0,
  }),
  arrayThrows: () => Object.defineProperty([1, 2, 3], 1, { get: refuse }),
  arrayDisposes: (dispose) =>
    Object.defineProperty([1, 2], 0, {
      get() {
        dispose();
        return 1;
      },
    }),
  arrayShrinks() {
    const array = [1, 2, 3];
    Object.defineProperty(array, 0, {
      get() {
        array.length = 0;
        return 1;
      },
      configurable: true,
    });
    return array;
  },
  arrayGrows() {
    const array = [1, 2];
    Object.defineProperty(array, 0, {
      get() {
        if (array.length < 1000) array.push(...array.slice(1));
        return 1;
      },
    });
    return array;
  },
  arraySubclass: () => new (class Sizes extends Array {})(2, 3),
  arrayWithToString: () => Object.assign([1, 2], { toString: refuse, join: refuse }),
  arrayWithoutPrototype: () => Object.setPrototypeOf([1, 2], null),
  arrayWithEvery: () => Object.assign([{}, Symbol('x')], { every: () => true, map: () => [1] }),
  cyclicArray() {
    const array = [];
    array.push(array);
    return array;
  },
  arrayWithHole: () => Object.assign(new Array(3), { 0: 1, 2: 3 }),
  longArray: () => new Array(2 ** 32 - 1),
  arrayLike: () => ({ length: 2, 0: 1, 1: 2 }),
  deepArray() {
    let array = [];
    for (let i = 0; i < 100_000; ++i) array = [array];
    return array;
  },
  detached() {
    const array = new Float64Array(4);
    structuredClone(array.buffer, { transfer: [array.buffer] });
    return array;
  },
  shared: () => new Float64Array(new SharedArrayBuffer(32)),
  resized() {
    const buffer = new ArrayBuffer(64, { maxByteLength: 128 });
    const array = new Float64Array(buffer, 8, 6);
    buffer.resize(16);
    return array;
  },
  wrongTypedArray: () => Float32Array.of(1, 2),
  forgedHandles: () => Float64Array.of(0, -1, NaN, 1.5, Infinity, 2 ** 63, 67108864, -(2 ** 63)),
  bigTypedArray: () => BigInt64Array.of(2n ** 63n - 1n),
  dataView: () => new DataView(new ArrayBuffer(8)),
  buffer: () => new ArrayBuffer(8),
  symbol: () => Symbol('hostile'),
  function: () => refuse,
  date: () => new Date(0),
  regexp: () => /x/g,
  map: () => new Map([[1, 2]]),
  promise: () => Promise.resolve(1),
  lookalike: (_, { Tensor }) => Object.create(Tensor.prototype),
  tensorProxy: (_, { anyTensor }) => new Proxy(anyTensor(), {}),
  optionsThrow: () => Object.defineProperty({}, 'dim', { get: refuse, enumerable: true }),
  optionsUnknown: () => ({ noSuchOption: 1, __proto__: null }),
  optionsPolluted: () => JSON.parse('{"__proto__": {"dim": 0}, "constructor": 1}'),
};

export const hostileNames = Object.keys(hostileMakers);
