/** The arguments that objects of our classes were made with: a worker makes them again with those. */
const remembered = new WeakMap<object, { type: unknown; args: readonly unknown[] }>();

/** To be called at the end of a constructor, with its `new.target` and `arguments`. */
export function rememberArguments(made: object, type: unknown, given: ArrayLike<unknown>): void {
  remembered.set(made, { type, args: Array.from(given) });
}

/** Undefined for objects of classes that others extend from `type`: they may need more. */
export function rememberedOf(made: object, type: unknown): readonly unknown[] | undefined {
  const found = remembered.get(made);
  return found !== undefined && found.type === type ? found.args : undefined;
}
