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

/** The AiforgeError that a promise is rejected with. */
export async function rejectionOf(work: Promise<unknown>): Promise<AiforgeError> {
  let value: unknown;
  try {
    value = await work;
  } catch (error) {
    expect(error).to.be.instanceOf(AiforgeError);
    return error as AiforgeError;
  }
  throw new Error(`it was not rejected, but gave ${String(value)}`);
}
