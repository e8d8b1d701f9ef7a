import { expect } from 'chai';

import { AiforgeError } from 'aiforge';
import { allReduce, destroyProcessGroup, getRank, isInitialized } from 'aiforge/distributed';
import { readRankAndSize, readRankEnvironment } from '#lib/distributed/environment.js';

const torchrun = { RANK: '1', WORLD_SIZE: '4', MASTER_ADDR: 'node0', MASTER_PORT: '29500' };

describe('readRankEnvironment', () => {
  it('reads what torchrun sets', () => {
    expect(readRankEnvironment({}, torchrun)).to.deep.equal({
      rank: 1,
      worldSize: 4,
      masterAddr: 'node0',
      masterPort: 29500,
      servesStore: false,
      isServed: false,
    });
  });

  it('prefers options', () => {
    const options = { rank: 0, worldSize: 2, masterAddr: '::1', masterPort: 1234 };
    expect(readRankEnvironment(options, torchrun)).to.deep.equal({ ...options, servesStore: true, isServed: false });
  });

  it('reads no variable that an option is given in place of, whatever it says', () => {
    const batch = { SLURM_PROCID: '0', SLURM_STEP_ID: '0', SLURM_STEP_NUM_TASKS: '2', WORLD_SIZE: '8' };
    Object.assign(process.env, batch);
    try {
      const place = { rank: 0, worldSize: 2 };
      expect(readRankAndSize(place)).to.deep.equal(place);
      expect(readRankEnvironment({ ...place, masterAddr: 'node0', masterPort: 1234 })).to.include(place);
      expect(() => readRankAndSize({ rank: 0 })).to.throw(AiforgeError, 'WORLD_SIZE is 8, and srun started 2 tasks');
    } finally {
      for (const name of Object.keys(batch)) Reflect.deleteProperty(process.env, name);
    }
  });

  it('leaves the store to an agent that serves it', () => {
    const env = { ...torchrun, RANK: '0', TORCHELASTIC_USE_AGENT_STORE: 'True' };
    expect(readRankEnvironment({}, env)).to.include({ servesStore: false, isServed: true });
  });

  it('names every variable that is missing, and the remedy', () => {
    expect(() => readRankEnvironment({}, { RANK: '0', MASTER_ADDR: 'node0' })).to.throw(
      AiforgeError,
      /WORLD_SIZE, MASTER_PORT[^]*aiforge-launch/,
    );
  });

  it('refuses values that are no such numbers', () => {
    const read = (env: Record<string, string>) => () => readRankEnvironment({}, { ...torchrun, ...env });
    expect(read({ RANK: '4' })).to.throw(AiforgeError, "RANK is '4'; expected a whole number in 0 … 3");
    expect(read({ RANK: '' })).to.throw(AiforgeError, "RANK is ''");
    expect(read({ WORLD_SIZE: 'two' })).to.throw(AiforgeError, "WORLD_SIZE is 'two'");
    expect(read({ MASTER_PORT: '70000' })).to.throw(AiforgeError, 'MASTER_PORT');
    expect(read({ MASTER_PORT: '0x10' })).to.throw(AiforgeError, "MASTER_PORT is '0x10'");
    expect(read({ WORLD_SIZE: '1e3' })).to.throw(AiforgeError, "WORLD_SIZE is '1e3'");
    expect(readRankEnvironment({}, { ...torchrun, RANK: ' 2 ' }).rank).to.equal(2);
  });

  it('names options as options', () => {
    const read = (options: object) => () => readRankEnvironment(options, torchrun);
    expect(read({ rank: 2, worldSize: 1 })).to.throw(AiforgeError, 'initProcessGroup: rank is 2; expected');
    expect(read({ worldSize: 0 })).to.throw(AiforgeError, 'initProcessGroup: worldSize is 0; expected');
    expect(read({ masterPort: 70_000 })).to.throw(AiforgeError, 'initProcessGroup: masterPort is 70000; expected');
    expect(read({ worldSize: 1 })).to.throw(AiforgeError, "RANK is '1'; expected");
  });
});

describe('without a process group', () => {
  it('says that initProcessGroup comes first', async () => {
    expect(isInitialized()).to.equal(false);
    expect(() => getRank()).to.throw(AiforgeError, 'initProcessGroup');
    const error: unknown = await allReduce({} as never).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(AiforgeError);
    await destroyProcessGroup();
  });
});
