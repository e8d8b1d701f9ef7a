import { expect } from 'chai';

import { ones } from 'aiforge';
import { ProcessGroup, TCPStore } from 'aiforge/distributed';

import { nodeRank, runCommands, runTwo } from '../ranks.mjs';

describe('a call between ranks', function () {
  this.timeout(60_000);

  it('takes a signal and a time, receives from any rank, and is waited for when the caller wants', async () => {
    const [aborting, other] = await runTwo('calls.mjs');
    expect(aborting.status, aborting.output).to.equal(0);
    expect(other.status, other.output).to.equal(0);
    expect(aborting.results[0]!.result).to.include({ code: 'DISTRIBUTED_FAILED' });
    expect(other.results[0]!.result).to.include({ code: 'DISTRIBUTED_FAILED' });
    expect((other.results[0]!.result as { message: string }).message).to.include(
      'rank 0 has aborted the process group',
    );
  });

  for (const worldSize of [1, 2, 3]) {
    it(`carries values of JavaScript, and refusals, between ${worldSize} ranks`, async () => {
      const ranks = await runCommands(Array.from({ length: worldSize }, () => nodeRank('objects.mjs')));
      const last = worldSize - 1;
      for (const [rank, { status, results, output }] of ranks.entries()) {
        expect(status, output).to.equal(0);
        const refusals = results[0]!.refusals as Record<string, { code?: string; message: string }>;
        const expected = (name: string, sender: number, message: RegExp): void => {
          expect(refusals[name]!.code, name).to.equal(rank === sender ? 'INVALID_ARGUMENT' : 'DISTRIBUTED_FAILED');
          expect(refusals[name]!.message).to.match(message);
          if (rank !== sender) expect(refusals[name]!.message).to.include(`rank ${sender} has sent nothing`);
        };
        expected('function', 0, /\(\) => 1 could not be cloned/);
        expected('symbol', last, /Symbol\(s\) could not be cloned/);
        expected('tensor', 0, /a Tensor.*tensors go by broadcast/);
        expected('deep', 0, /it is nested too deeply\. Plain data/);
        expected('noBytes', 0, /must give a Uint8Array, got null/);
        expected('moved', 0, /broadcastBytes: the ArrayBuffer is detached/);
        if (rank === 0 || rank === last) expected('gather', last, /could not be cloned/);
        if (worldSize > 1) expected('scatter', 0, /a value for each of the \d ranks, got 1/);
        if (worldSize > 1 && (rank === 0 || rank === last)) expected('message', 0, /could not be cloned/);
      }
    });
  }

  const refused: [string, (group: ProcessGroup) => Promise<unknown>, RegExp][] = [
    [
      'a dtype that Gloo has not',
      (group) => group.allReduce(ones([2], { dtype: 'int16' })),
      /got int16\[2\], and Gloo's/,
    ],
    [
      'the mean of whole numbers',
      (group) => group.allReduce(ones([2], { dtype: 'int64' }), { op: 'avg' }),
      /convert them/,
    ],
    [
      'the most of complex numbers',
      (group) => group.allReduce(ones([2], { dtype: 'complex64' }), { op: 'max' }),
      /complex/,
    ],
    ['no time', (group) => group.barrier({ timeoutMs: 0 }), /timeoutMs must be a number above 0/],
    ['no value', (group) => group.scatterObjectList('text' as never, 0), /values must be/],
  ];
  for (const [what, call, message] of refused) {
    it(`refuses ${what}`, async () => {
      const store = await TCPStore.create({ port: 0, isServer: true });
      const group = await ProcessGroup.create(store, { rank: 0, worldSize: 1 });
      const error = await call(group).then(
        () => expect.fail('it should have been refused'),
        (reason: unknown) => reason as { code: string; message: string },
      );
      expect(error.code).to.equal('INVALID_ARGUMENT');
      expect(error.message).to.match(message);
      await group.destroy();
    });
  }
});
