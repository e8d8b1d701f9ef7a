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

/**
 * Whether another method or getter among members mentions one: then its owner calls it, and it is a helper under whatever name.
 */
export function isMentioned(members: readonly [name: string, PropertyDescriptor][], name: string): boolean {
  const mention = new RegExp(`\\.\\s*${name.replace(/[^\w]/g, '\\$&')}\\b`);
  const bodiesOf = (member: PropertyDescriptor): unknown[] => [member.value, Reflect.get(member, 'get')];
  const mentions = (body: unknown): boolean => typeof body === 'function' && mention.test(String(body));
  return members.some(([other, member]) => other !== name && bodiesOf(member).some(mentions));
}

/** The names of an object's methods, its own and those of its classes. */
export function methodsOf(object: object): string[] {
  return membersOf(object)
    .filter(([, { value }]) => typeof value === 'function')
    .map(([name]) => name);
}
