/** The members of an object, its own and those of its classes up to `base`; no getter is asked. */
export function membersOf(object: object, base: object = Object.prototype): [name: string, PropertyDescriptor][] {
  const found: [string, PropertyDescriptor][] = [];
  for (
    let at: object | null = object;
    at !== null && at !== base && at !== Object.prototype;
    at = Object.getPrototypeOf(at) as object | null
  ) {
    found.push(...Object.entries(Object.getOwnPropertyDescriptors(at)).filter(([name]) => name !== 'constructor'));
  }
  return found;
}

/** The names of an object's methods, its own and those of its classes. */
export function methodsOf(object: object): string[] {
  return membersOf(object)
    .filter(([, { value }]) => typeof value === 'function')
    .map(([name]) => name);
}
