import { AiforgeError } from './errors.js';

/**
 * Has an assignment to a property that a class does not have, but that its users know from elsewhere, say what to write:
 * JavaScript would make the property, and nothing would read it.
 *
 * @param instead What to write, by the name.
 */
export function refuseAssignments(type: NewableFunction, instead: Readonly<Record<string, string>>): void {
  for (const [name, write] of Object.entries(instead)) {
    Object.defineProperty(type.prototype, name, {
      configurable: true,
      get: () => undefined,
      set(this: object) {
        throw new AiforgeError(
          'INVALID_ARGUMENT',
          `${this.constructor.name}: nothing reads '${name}'; write ${write}.`,
        );
      },
    });
  }
}
