/** A value that is a call of a global in Python. */
export class Call {
  constructor(
    readonly callee: GlobalName,
    readonly args: readonly unknown[],
  ) {}
}

/** A name of Python: its module, and its name there. */
export class GlobalName {
  static readonly #known = new Map<string, GlobalName>();

  private constructor(
    readonly module: string,
    readonly name: string,
  ) {}

  /** The one such as `torch._utils._rebuild_tensor_v2`; the same object each time, which a pickle refers to. */
  static of(dotted: string): GlobalName {
    let found = GlobalName.#known.get(dotted);
    if (found === undefined) {
      const at = dotted.lastIndexOf('.');
      found = new GlobalName(dotted.slice(0, at), dotted.slice(at + 1));
      GlobalName.#known.set(dotted, found);
    }
    return found;
  }
}

/** A tuple of Python; arrays are lists. */
export class Tuple {
  constructor(readonly items: readonly unknown[]) {}
}

/** What `host` of the reading side resolves. */
export class PersistentId {
  constructor(readonly id: Tuple) {}
}
