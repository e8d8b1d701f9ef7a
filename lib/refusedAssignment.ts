import { AiforgeError } from './errors.js';

/**
 * Has an assignment to a property that a class does not have, but that its users know from elsewhere, say what to write:
 * JavaScript would make the property, and nothing would read it.
 *
 * @param instead What to write, by the name.
 * @param isOurs Whether a class is the library's: those of users may have and read what they like.
 */
export function refuseAssignments(
  type: NewableFunction,
  instead: Readonly<Record<string, string>>,
  isOurs: (type: unknown) => boolean = () => true,
): void {
  for (const [name, write] of Object.entries(instead)) {
    Object.defineProperty(type.prototype, name, {
      configurable: true,
      get: () => undefined,
      set(this: object, value: unknown) {
        if (!isOurs(this.constructor)) {
          Object.defineProperty(this, name, { value, configurable: true, enumerable: true, writable: true });
          return;
        }
        throw new AiforgeError(
          'INVALID_ARGUMENT',
          `${this.constructor.name}: nothing reads '${name}'; write ${write}.`,
        );
      },
    });
  }
}
