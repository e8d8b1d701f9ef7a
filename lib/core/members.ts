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

/** The texts of an object's classes up to `base`: constructors and initial values of fields are in them. */
function classesOf(object: object, base: object): string[] {
  const texts: string[] = [];
  for (let at: object | null = object; at !== null && at !== base && at !== Object.prototype;) {
    const type: unknown = Object.getOwnPropertyDescriptor(at, 'constructor')?.value;
    if (typeof type === 'function') texts.push(String(type));
    at = Object.getPrototypeOf(at) as object | null;
  }
  return texts;
}

/**
 * Whether anything of an object or its classes up to `base` mentions one of its members, but the member itself: then its owner
 * calls it, and it is a helper under whatever name. An assignment is no mention.
 */
export function isMentioned(object: object, name: string, base: object = Object.prototype): boolean {
  const mention = new RegExp(`\\.\\s*${name.replace(/[^\w]/g, '\\$&')}\\b(?!\\s*=(?!=))`);
  const [bodies, own]: [string[], string[]] = [[], []];
  for (const [other, member] of membersOf(object, base)) {
    for (const body of [member.value as unknown, Reflect.get(member, 'get') as unknown]) {
      if (typeof body === 'function') (other === name ? own : bodies).push(String(body));
    }
  }
  const classes = classesOf(object, base).map((text) => own.reduce((rest, body) => rest.replace(body, () => ''), text));
  return [...bodies, ...classes].some((text) => mention.test(text));
}

/** The names of an object's methods, its own and those of its classes. */
export function methodsOf(object: object): string[] {
  return membersOf(object)
    .filter(([, { value }]) => typeof value === 'function')
    .map(([name]) => name);
}
