import { AiforgeError } from 'aiforge';
import { expect } from 'chai';

/** The AiforgeError that something throws. */
export function refusalOf(work: () => unknown): AiforgeError {
  try {
    work();
  } catch (error) {
    expect(error).to.be.instanceOf(AiforgeError);
    return error as AiforgeError;
  }
  throw new Error('nothing was thrown');
}
