import { scope } from './scope.js';

/** A value with the tensors that were made with it, which are released when it is let go of. */
export interface Held<T> {
  value: T;
  letGo: () => void;
}

/** Makes a value in a scope that lasts until it is let go of. */
export function held<T>(make: () => T): Held<T> {
  let made: { value: T } | { error: unknown } | undefined;
  let letGo = (): void => undefined;
  const used = new Promise<void>((resolve) => (letGo = resolve));
  void scope(async () => {
    try {
      made = { value: make() };
    } catch (error) {
      made = { error };
      return;
    }
    await used;
  });
  // An asynchronous function runs at once up to its first await.
  if ('error' in made!) throw made.error;
  return { value: made!.value, letGo };
}
