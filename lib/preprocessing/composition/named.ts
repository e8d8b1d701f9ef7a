import { firstRepeated } from '../../repeated.js';
import { show } from '../../show.js';
import { refusal } from '../tables/frame.js';

/** Throws for parts whose names are none, are there twice, or would make names of columns that read two ways. */
export function checkPartNames(who: string, names: readonly unknown[]): void {
  names.forEach((name, i) => {
    if (typeof name !== 'string' || name === '' || name.includes('__')) {
      throw refusal(who, `the name of part ${i} must be a string without '__', got ${show(name)}`);
    }
  });
  const twice = firstRepeated(names);
  if (twice !== undefined) throw refusal(who, `two parts are called ${show(twice)}`);
}
