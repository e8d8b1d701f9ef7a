/** The names of an object's methods, its own and those of its classes up to `base`; what getters give is not asked for. */
export function methodsOf(object: object, base: object = Object.prototype): string[] {
  const names: string[] = [];
  for (
    let at: object | null = object;
    at !== null && at !== base && at !== Object.prototype;
    at = Object.getPrototypeOf(at) as object | null
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (typeof value === 'function' && name !== 'constructor') names.push(name);
    }
  }
  return names;
}
