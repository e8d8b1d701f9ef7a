// A program may have several copies of the library over one addon: test runners give each file its own, hot reloaders make
// new ones, and a `vm` context has one of its realm. Each has its own classes, which `instanceof` has to take for the same.

const ordinary = Function.prototype[Symbol.hasInstance];

/** The key by which all copies of the library know the instances of a class. */
export const brandOf = (name: string): symbol => Symbol.for(`aiforge.${name}`);

/**
 * Makes `instanceof` a class true for the instances of every copy's class of that name; subclasses are asked as usual. The
 * instances have `value` under the brand.
 */
export function brand(type: { readonly prototype: object }, name: string, value: unknown = true): void {
  const key = brandOf(name);
  Object.defineProperty(type.prototype, key, { value });
  Object.defineProperty(type, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      if (this !== type) return ordinary.call(this as () => void, value);
      return typeof value === 'object' && value !== null && key in value;
    },
  });
}
