import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { expect } from 'chai';

import { AiforgeError } from 'aiforge';
import {
  destroyProcessGroup,
  FileStore,
  getWorldSize,
  HashStore,
  initProcessGroup,
  isInitialized,
  PrefixStore,
  ProcessGroup,
} from 'aiforge/distributed';

import { fixture, freePort, nodeRank, runCommands, runTwo, type Command, type Rank } from './ranks.mjs';

const without = { RANK: undefined, WORLD_SIZE: undefined, MASTER_ADDR: undefined, MASTER_PORT: undefined };

async function meetBy(initMethod: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
  const rank = (own: number): Command =>
    nodeRank('meeting.mjs', { ...without, INIT_METHOD: initMethod, OWN_RANK: String(own), ...env });
  const ranks = await runCommands([rank(0), rank(1)]);
  for (const [own, { status, results, output }] of ranks.entries()) {
    expect(status, output).to.equal(0);
    expect(results[0]).to.deep.equal({ rank: own, worldSize: 2, sum: [3] });
  }
}

describe('initProcessGroup', function () {
  this.timeout(120_000);

  it('meets the others by tcp://', async () => {
    await meetBy(`tcp://127.0.0.1:${await freePort()}`);
    await meetBy(`tcp://[::1]:${await freePort()}`, { AS_QUERY: '1' });
  });

  it('meets the others in a file, and leaves none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aiforge-meeting-'));
    await meetBy(pathToFileURL(join(folder, 'a job')).href);
    expect(readdirSync(folder)).to.deep.equal([]);
    rmSync(folder, { recursive: true });
  });

  it('refuses a file that is left from another run, and one that is none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aiforge-meeting-'));
    const path = join(folder, 'stale');
    const run = (env: NodeJS.ProcessEnv): Promise<Rank[]> =>
      runCommands(
        ['0', '1'].map((OWN_RANK) =>
          nodeRank('meeting.mjs', { ...without, INIT_METHOD: pathToFileURL(path).href, OWN_RANK, ...env }),
        ),
      );
    for (const { signal } of await run({ IS_KILLED: '1' })) expect(signal).to.equal('SIGKILL');
    const before = readFileSync(path);
    for (const { status, output } of await run({})) {
      expect(status).to.equal(1);
      expect(output).to.include(`'${path}' is left from another run`).and.to.include('remove it, or name another');
    }
    expect(readFileSync(path).equals(before)).to.equal(true);
    writeFileSync(path, 'garbage garbage garbage');
    for (const { status, output } of await run({})) {
      expect(status).to.equal(1);
      expect(output).to.include(`'${path}' is no store's file`);
    }
    rmSync(folder, { recursive: true });
  });

  it('names the file where its disk is full', function () {
    const folder = mkdtempSync(join(tmpdir(), 'aiforge-meeting-'));
    const script = `mount -t tmpfs -o size=64k tmpfs "$1" && head -c 65536 /dev/zero > "$1/filled" && exec "$0" "$2"`;
    const args = ['-rm', 'sh', '-c', script, process.execPath, folder, fixture('meeting.mjs')];
    const env = { ...process.env, ...without, INIT_METHOD: `file://${folder}/job`, OWN_RANK: '0' };
    const { stderr } = spawnSync('unshare', args, { env, encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    if (/^(unshare|mount):/m.test(stderr)) {
      console.log(`      skipped: no small disk can be mounted here (${stderr.trim()})`);
      return this.skip();
    }
    expect(stderr).to.include(`FileStore: '${folder}/job' cannot be written: No space left on device. Make room there`);
    expect(stderr).to.include('FILE_NOT_WRITABLE');
  });

  it('refuses a file in which a rank of Python has left its address', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aiforge-meeting-'));
    const path = join(folder, 'stale');
    // Under Python's keys, and without what initProcessGroup adds to them.
    const store = new PrefixStore('default_pg', await FileStore.create(path));
    const group = await ProcessGroup.create(store, { rank: 0, worldSize: 1 });
    const initMethod: `file://${string}` = `file://${path}`;
    const error: unknown = await initProcessGroup({ initMethod, rank: 0, worldSize: 1 }).catch((e: unknown) => e);
    expect((error as AiforgeError).code).to.equal('DISTRIBUTED_FAILED');
    expect((error as AiforgeError).message).to.include(`'${path}' is left from another run`);
    await group.destroy();
    rmSync(folder, { recursive: true });
  });

  it('joins again at the same place, as often as one likes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aiforge-meeting-'));
    for (const initMethod of ['env://', pathToFileURL(join(folder, 'again')).href]) {
      for (const { status, results, output } of await runTwo('again.mjs', { INIT_METHOD: initMethod })) {
        expect(status, output).to.equal(0);
        expect(results[0]).to.deep.equal({ sums: [0, 1, 2, 3, 4].map((time) => 2 * (1 + 2 * time)) });
      }
    }
    rmSync(folder, { recursive: true });
  });

  it('takes a store that is there, and leaves it open', async () => {
    const store = new HashStore();
    await initProcessGroup({ store, rank: 0, worldSize: 1 });
    expect(getWorldSize()).to.equal(1);
    await destroyProcessGroup();
    expect(isInitialized()).to.equal(false);
    await store.set('still', 'here');
  });

  it('refuses places that contradict each other, and what is none', async () => {
    const refusal = async (options: object): Promise<string> => {
      const error: unknown = await initProcessGroup({ rank: 0, worldSize: 1, ...options }).catch((e: unknown) => e);
      expect(error).to.be.instanceOf(AiforgeError);
      expect((error as AiforgeError).code).to.equal('INVALID_ARGUMENT');
      return (error as AiforgeError).message;
    };
    expect(await refusal({ store: new HashStore(), initMethod: 'env://' })).to.include('give one');
    expect(await refusal({ initMethod: 'tcp://a:1', masterAddr: 'b' })).to.include('give one');
    expect(await refusal({ initMethod: 'http://a:1' })).to.include("begins with 'http://'");
    expect(await refusal({ initMethod: 'tcp://a' })).to.include('names no host and port');
    expect(await refusal({ initMethod: 'file://a/b' })).to.include('third slash');
    expect(await refusal({ initMethod: 'nonsense' })).to.include('is no URL');
    expect(await refusal({ initMethod: 'tcp://a:1?rank=x' })).to.include('rank=x');
    expect(await refusal({ initMethod: 'tcp://a:1?ranks=1' })).to.include("'ranks', which is not known");
    expect(await refusal({ initMethod: 'tcp://a:1?rank=0x1' })).to.include('rank=0x1');
    expect(await refusal({ initMethod: 'tcp://a:1/path' })).to.include("the path '/path'");
    expect(await refusal({ initMethod: 'tcp://user:word@a:1' })).to.include('names a user');
    expect(await refusal({ initMethod: 'tcp://a:1#b' })).to.include("ends with '#b'");
    expect(await refusal({ initMethod: 'tcp://a:0' })).to.include('names port 0');
    expect(await refusal({ initMethod: 'env://a' })).to.include("names 'a'");
    for (const path of ['%', 'a%2Fb', '%ff']) {
      expect(await refusal({ initMethod: `file:///tmp/${path}` })).to.include('has a path that cannot be read');
    }
    expect(await refusal({ initMethod: 'file:///tmp/a%00b' })).to.include('NUL');
    expect(await refusal({ store: new HashStore(), rank: 2 })).to.include('rank is 2; expected');
    expect(await refusal({ init_method: 'env://' })).to.include("has no option 'init_method'");
    expect(isInitialized()).to.equal(false);
  });
});
