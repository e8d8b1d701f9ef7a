/** A value that is a call of a global in Python. */
export class Call {
  constructor(
    readonly callee: GlobalName,
    readonly args: readonly unknown[],
  ) {}
}

/** A name of Python: its module, and its name there. */
export class GlobalName {
  constructor(
    readonly module: string,
    readonly name: string,
  ) {}
}

/** A tuple of Python; arrays are lists. */
export class Tuple {
  constructor(readonly items: readonly unknown[]) {}
}

/** What `host` of the reading side resolves. */
export class PersistentId {
  constructor(readonly id: Tuple) {}
}
