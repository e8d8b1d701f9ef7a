import type { FlightRecordEntry } from 'aiforge/distributed';
import { expect } from 'chai';

import { nodeRank, runCommands, type Rank } from '../ranks.mjs';

interface Outcome {
  code: string | null;
  message: string;
  op?: string;
  stack: string;
}

const run = (name: string, worldSize: number, env: NodeJS.ProcessEnv): Promise<Rank[]> =>
  runCommands(Array.from({ length: worldSize }, () => nodeRank(name, env)));

const at = String.raw` at \S*disagree\.mjs:\d+:\d+`;

// What each rank's part of the message is; the last is that of the rank that does something else.
const cases: [string, RegExp, RegExp][] = [
  ['dtype', /allReduce\(sum\) of float32\[3\]/, /allReduce\(sum\) of int32\[3\]/],
  ['shape', /allReduce\(sum\) of float32\[3\]/, /allReduce\(sum\) of float32\[2\]/],
  ['sameSize', /allReduce\(sum\) of float32\[2, 3\]/, /allReduce\(sum\) of float32\[6\]/],
  ['tooLong', /broadcast of float32\[300\] from rank 0/, /broadcast of float32\[29[89]\] from rank 0/],
  ['shorter', /broadcast of float32\[2\] from rank 0/, /broadcast of float32\[3\] from rank 0/],
  ['reduceOp', /allReduce\(sum\) of float32\[3\]/, /allReduce\(max\) of float32\[3\]/],
  ['root', /broadcast of float32\[3\] from rank 0/, /broadcast of float32\[3\] from rank 1/],
  ['operation', /allReduce\(sum\) of float32\[3\]/, /broadcast of float32\[3\] from rank 0/],
  ['sync', /allReduce\(sum\) of float32\[3\]/, /allGather of float32\[3\]/],
  ['order', /allReduce\(sum\) of float32\[4\]/, /allGather of float32\[5\]/],
  ['missing', /barrier/, /allReduce\(sum\) of float32\[3\]/],
  ['splits', /allToAllSingle of float32\[\d\], bytes to each rank \[8, 8/, /bytes to each rank \[12, 8/],
  ['scatter', /scatter of float32\[3\] from rank 0/, /scatter of float32\[2\] from rank 0/],
  ['coalesced', /allReduceCoalesced\(sum\) of float32\[3\], float32\[3\]/, /of float32\[2\], float32\[4\]/],
  ['object', /broadcastObject from rank 0/, /allReduce\(sum\) of float32\[3\]/],
  ['objects', /broadcastObject from rank 0/, /allGatherObject/],
  ['bytes', /broadcastObject from rank 0/, /broadcastBytes from rank 0/],
  ['gathered', /allGatherObject/, /gatherObject from rank 0/],
  ['scattered', /broadcastObject from rank 0/, /scatterObjectList from rank 0/],
];

// Ranks that a collective does not need any more are done with theirs, and reject in the next.
const failed = ({ first, next }: Record<string, unknown>): Outcome =>
  ((first as Outcome).code === null ? next : first) as Outcome;

describe('ranks that do not do the same', function () {
  this.timeout(60_000);

  for (const worldSize of [2, 3]) {
    for (const [name, usual, other] of cases) {
      it(`${name}: each of ${worldSize} ranks rejects with the calls and lines of all`, async () => {
        const ranks = await run('disagree.mjs', worldSize, { CASE: name });
        for (const { status, results, output } of ranks) {
          expect(status, output).to.equal(0);
          const { code, message, op, stack } = failed(results[0]!);
          expect(code, output).to.equal('DISTRIBUTED_FAILED');
          expect(message, output).to.match(
            /^\w+ failed: the ranks do not do the same in collective \d+ of the group\. /,
          );
          expect(message).to.match(new RegExp(`rank 0: ${usual.source}[^;]*${at}`));
          expect(message).to.match(new RegExp(`rank ${worldSize - 1}: [^;]*${other.source}[^;]*${at}`));
          expect(message).to.include('abortProcessGroup()');
          expect(op).to.be.a('string');
          expect(stack.split('\n')[1]).to.include('disagree.mjs');
          // The group says the same from then on.
          expect((results[0]!.next as Outcome).message).to.include(message.slice(message.indexOf('the ranks do not')));
        }
        expect(ranks.filter(({ results }) => (results[0]!.first as Outcome).code === null).length).to.be.below(
          worldSize - 1,
        );
      });
    }

    for (const [name, usual, other] of [
      ['message', 'send of float32[3] to rank 1', 'recv of float32[2] from rank 0'],
      ['messageDtype', 'send of float32[3] to rank 1, tag 4', 'recv of int32[3] from rank 0, tag 4'],
    ] as const) {
      it(`${name}: a send and another receive reject on each of ${worldSize} ranks`, async () => {
        for (const { status, results, output } of await run('disagree.mjs', worldSize, { CASE: name })) {
          expect(status, output).to.equal(0);
          const { code, message } = results[0]!.first as Outcome;
          expect(code, output).to.equal('DISTRIBUTED_FAILED');
          expect(message).to.include(`rank 0: ${usual} at `).and.to.include(`rank 1: ${other} at `);
        }
      });
    }

    for (const [name, told] of [
      ['ddpDtype', /rank \d has 'weight' of float64\[3\] where rank 0 has 'weight' of float32\[3\]/],
      ['ddpStep', /rank 0: (broadcast|allReduce\(sum\)) of float32\[3\].* in DistributedDataParallel/],
    ] as const) {
      it(`${name}: what DistributedDataParallel does is told as well, on ${worldSize} ranks`, async () => {
        for (const { status, results, output } of await run('disagree.mjs', worldSize, { CASE: name })) {
          expect(status, output).to.equal(0);
          const { code, message } = failed(results[0]!);
          expect(code, output).to.equal('DISTRIBUTED_FAILED');
          expect(message).to.match(told);
        }
      });
    }
  }

  it('a rank that comes later finds the verdict', async () => {
    const ranks = await run('disagree.mjs', 3, { CASE: 'late' });
    const messages = ranks.map(({ results }) => (results[0]!.first as Outcome).message);
    expect(messages[0]).to.include('rank 2 has not come to it');
    expect(new Set(messages).size, messages.join('\n')).to.equal(1);
  });

  it('a call with a time of its own names the rank that has not come', async () => {
    for (const [rank, { results, output }] of (await run('disagree.mjs', 3, { CASE: 'deadline' })).entries()) {
      const { first, next } = results[0] as { first: Outcome; next: Outcome };
      const { code, message } = rank === 2 ? next : first;
      expect(code, output).to.equal('DISTRIBUTED_FAILED');
      const { state, call, collective_seq_id } = results[0]!.record as FlightRecordEntry;
      expect(collective_seq_id).to.equal(rank === 2 ? 1 : 2);
      expect(state).to.equal(rank === 2 ? 'completed' : 'started');
      expect(call).to.match(new RegExp(`^${rank === 2 ? 'barrier' : 'allReduce.sum. of float32.3.'}${at}`));
      expect(message).to.match(
        /timed out after 900 ms .*rank 0: allReduce.*; rank 1: allReduce.*; rank 2 has not come to it/,
      );
    }
  });

  it('nothing of it crashes under TORCH_DISTRIBUTED_DEBUG=DETAIL', async () => {
    for (const name of ['dtype', 'ddpStep', 'splits']) {
      for (const { status, results, output } of await run('disagree.mjs', 2, {
        CASE: name,
        TORCH_DISTRIBUTED_DEBUG: 'DETAIL',
      })) {
        expect(status, output).to.equal(0);
        expect(results[0]!.first).to.include({ code: 'DISTRIBUTED_FAILED' });
      }
    }
  });
});

describe('a rank that is lost', function () {
  this.timeout(60_000);

  for (const lost of [0, 2]) {
    for (const name of ['killed', 'exits', 'throws', 'killedWithin']) {
      it(`${name}: the others name rank ${lost}`, async () => {
        const ranks = await run('lost.mjs', 3, { CASE: name, LOST: String(lost) });
        for (const [rank, { status, results, output }] of ranks.entries()) {
          if (rank === lost) continue;
          expect(status, output).to.equal(1);
          expect(results[0], output).to.include({ code: 'DISTRIBUTED_FAILED', op: 'allGather' });
          expect(results[0]!.message).to.include(`the connection to rank ${lost} was lost. Another rank has ended`);
        }
      });
    }

    it(`stopped: the others time out, and name rank ${lost}`, async () => {
      const ranks = await run('lost.mjs', 3, {
        CASE: 'stopped',
        LOST: String(lost),
        TIMEOUT_MS: '1500',
        GUARD_MS: '8000',
      });
      for (const [rank, { status, results, output }] of ranks.entries()) {
        if (rank === lost) continue;
        expect(status, output).to.equal(1);
        expect(results[0], output).to.include({ code: 'DISTRIBUTED_FAILED' });
        const said = lost === 0 ? /store did not answer: its process, that of rank 0/ : /rank 2 has not come to it/;
        expect(results[0]!.message)
          .to.match(/timed out after 1500 ms/)
          .and.to.match(said);
      }
    });
  }
});
