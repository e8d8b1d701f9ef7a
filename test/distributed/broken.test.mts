import { expect } from 'chai';

import { runTwo } from './ranks.mjs';

describe('what breaks between ranks that go on', function () {
  this.timeout(60_000);

  const results = async (MODE: string): Promise<Record<string, unknown>[][]> => {
    const ranks = await runTwo('broken.mjs', { MODE });
    for (const { status, output } of ranks) expect(status, output).to.equal(0);
    return ranks.map((rank) => rank.results);
  };

  it('a thread that is ended in the middle of a collective is lost at once', async () => {
    const [first] = (await results('worker')).flat();
    expect(first!.message).to.include('the connection to rank 1 was lost. Another rank has ended');
  });

  it('a connection that is cut is told apart from a rank that has ended, by the rank that goes on', async () => {
    const [first, second] = (await results('cut')).flat();
    const texts = [first!.message, second!.message].map((message) =>
      /allReduce failed: (.*?)(?:\.|: its own output)/.exec(String(message))?.[1]?.replace(/\. Another.*/, ''),
    );
    const lost = (rank: number) => `the connection to rank ${rank} was lost`;
    const goesOn = (rank: number) =>
      `the other ranks have lost the connection to this one, rank ${rank}, which goes on: it was cut on the network between them`;
    expect([
      [lost(1), goesOn(1)],
      [goesOn(0), lost(0)],
    ]).to.deep.include(texts);
  });

  it('a receive waits as long as it may, however long joining took, and blames no rank that is there', async () => {
    for (const [said] of await results('recv')) {
      expect(said!.message).to.match(/^recv failed: timed out after 2000 ms\. rank \d: recv of float32\[1\]/);
    }
  });

  it('groups that come and go leave nothing behind', async () => {
    for (const [said] of await results('groups')) {
      const [, , threads, files, laterThreads, laterFiles] = said!.counts as number[];
      expect(laterThreads).to.be.at.most(threads! + 4);
      expect(laterFiles).to.be.at.most(files! + 6);
    }
  });
});
