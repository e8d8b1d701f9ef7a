import { expect } from 'chai';

import { runTwo } from './ranks.mjs';

const tellsLoss = (message: string, rank: number): boolean =>
  message.startsWith(`allReduce failed: the connection to rank ${rank} was lost. Another rank has ended`);
const tellsThatItGoesOn = (message: string, rank: number): boolean =>
  message.startsWith(
    `allReduce failed: the other ranks have lost the connection to this one, rank ${rank}, which goes on: it was cut on the network`,
  );

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

  it('a connection that is cut is told apart from a rank that has ended, by the rank that goes on', async function () {
    if (process.env.AIFORGE_REFERENCE_PYTHON === undefined) {
      console.log(
        '      skipped: AIFORGE_REFERENCE_PYTHON names no Python, which alone can reach a connection of Gloo',
      );
      this.skip();
    }
    const said = (await results('cut')).flat();
    const [cut] = said.splice(1, 1);
    if (cut!.count === 0) {
      console.log('      skipped: this system lets no process take a connection from its parent');
      this.skip();
    }
    expect(said.map(({ message }) => String(message))).to.satisfy(
      ([first = '', second = '']: string[]) =>
        (tellsLoss(first, 1) && tellsThatItGoesOn(second, 1)) || (tellsThatItGoesOn(first, 0) && tellsLoss(second, 0)),
      said.map(({ message }) => message).join('; '),
    );
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
