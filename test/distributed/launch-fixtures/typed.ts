import { answer } from './typed-part.js';

enum Unit {
  None = 0,
}

const result: number = answer + Unit.None;
console.log(`typed ${result} ${typeof import.meta.url}`);
