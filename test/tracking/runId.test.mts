import { expect } from 'chai';
import { AiforgeError } from '#lib/errors.js';
import { bytesToRunId, runIdToBytes } from '#lib/tracking/runId.js';

describe('run ids as bytes', () => {
  it('come back as they were, leading zeros and all 128 bits', () => {
    for (const id of [
      'ffffffffffffffffffffffffffffffff',
      '00000000000000000000000000000001',
      '0123456789abcdef0123456789abcdef',
    ]) {
      const bytes = runIdToBytes(id);
      expect(bytes).to.have.length(16);
      expect(bytesToRunId(bytes)).to.equal(id);
    }
  });

  it('are zeros where there is no run', () => {
    expect(runIdToBytes(null)).to.deep.equal(new Uint8Array(16));
    expect(bytesToRunId(new Uint8Array(16))).to.equal(null);
  });

  it('refuse what is not a run id', () => {
    for (const id of ['', 'abc', 'g'.repeat(32), 'A'.repeat(32)]) {
      expect(() => runIdToBytes(id)).to.throw(AiforgeError, '32 hexadecimal digits');
    }
    expect(() => bytesToRunId(new Uint8Array(8))).to.throw(AiforgeError, '16 bytes; got 8');
  });
});
