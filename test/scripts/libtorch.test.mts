import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, statfsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  cleanEnvironment,
  copyThatKnows,
  folderOfWheels,
  outlineOfLibTorch,
  pathWithOnly,
  runNode,
  startNode,
  temporaryFolder,
  writeFiles,
  type Outcome,
} from './sandbox.mjs';

const script = 'scripts/libtorch.mjs';

function expectOneMessage({ status, output }: Outcome, ...parts: string[]): void {
  expect(status).to.equal(1);
  for (const part of parts) expect(output).to.include(part);
  expect(output.match(/^aiforge: /gm)).to.have.length(1);
  expect(output).not.to.match(/^\s+at .*:\d+:\d+/m);
}

/** An empty cache and a script that fills it, where pip sees only the given folder of wheels. */
function emptyCache(wheels: string, changes: NodeJS.ProcessEnv = {}) {
  const home = temporaryFolder();
  const pip = { PIP_NO_INDEX: '1', PIP_FIND_LINKS: wheels, PIP_CONFIG_FILE: '/dev/null' };
  const env = cleanEnvironment({ ...pip, XDG_CACHE_HOME: home, ...changes });
  const copy = readdirSync(wheels).some((name) => name.includes('+cpu')) ? copyThatKnows(wheels) : '';
  return { cache: join(home, 'aiforge'), env, script: join(copy, script) };
}

/** An index of wheels on this machine, which tells the paths that were asked for. */
async function indexOf(wheels: string) {
  const asked: string[] = [];
  const names = readdirSync(wheels);
  const server = createServer(({ url = '' }, response) => {
    asked.push(decodeURIComponent(url));
    const name = names.find((each) => decodeURIComponent(url) === `/${each}`);
    if (name !== undefined) return response.end(readFileSync(join(wheels, name)));
    response.setHeader('content-type', 'text/html');
    response.end(names.map((each) => `<a href="/${encodeURIComponent(each)}">${each}</a>`).join(''));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`;
  return { url, asked, close: () => server.close() };
}

const finishedProcess = () => spawnSync(process.execPath, ['-e', '']).pid;

describe('scripts/libtorch.mjs', () => {
  describe('with LIBTORCH', () => {
    it('takes a LibTorch of a supported version', async () => {
      const folder = writeFiles(temporaryFolder(), outlineOfLibTorch('2.11.0', 'cuda'));
      const { status, output } = await runNode([script], cleanEnvironment({ LIBTORCH: folder }));
      expect(output).to.equal(`LibTorch 2.11.0 (cuda) in ${folder}\n`);
      expect(status).to.equal(0);
    });

    it('refuses a folder that is none, and names it', async () => {
      const folder = temporaryFolder();
      expectOneMessage(await runNode([script], cleanEnvironment({ LIBTORCH: folder })), folder, 'site-packages/torch');
    });

    for (const version of ['2.10.1', '2.15.0', '1.13.0']) {
      it(`refuses LibTorch ${version} and names the supported range`, async () => {
        const folder = writeFiles(temporaryFolder(), outlineOfLibTorch(version));
        const outcome = await runNode([script], cleanEnvironment({ LIBTORCH: folder }));
        expectOneMessage(outcome, version, '2.11 to 2.14', 'unset it');
      });
    }
  });

  it('refuses a LibTorch of another flavour than the one that was asked for', async () => {
    for (const [asked, flavour] of [
      ['cuda', 'cpu'],
      ['cpu', 'cuda'],
    ] as const) {
      const LIBTORCH = writeFiles(temporaryFolder(), outlineOfLibTorch('2.13.0', flavour));
      const outcome = await runNode([script], cleanEnvironment({ LIBTORCH, AIFORGE_FLAVOUR: asked }));
      expectOneMessage(outcome, 'CONFIG_INVALID', LIBTORCH, `the ${flavour} build`, `AIFORGE_FLAVOUR=${asked}`);
    }
  });

  it('refuses an unknown flavour', async () => {
    const outcome = await runNode([script], cleanEnvironment({ AIFORGE_FLAVOUR: 'gpu' }));
    expectOneMessage(outcome, 'AIFORGE_FLAVOUR=gpu', 'cpu or cuda');
  });

  describe('with an empty cache', () => {
    it('installs with pip, keeps only LibTorch, and finds it again', async () => {
      const { cache, env, script } = emptyCache(folderOfWheels('cpu'));
      const first = await runNode([script], env);
      expect(first.status, first.output).to.equal(0);
      expect(readdirSync(cache)).to.deep.equal(['libtorch-2.13.0-cpu']);
      const root = join(cache, 'libtorch-2.13.0-cpu');
      expect(readdirSync(root).sort()).to.deep.equal(['stamp.json', 'torch']);
      expect(readdirSync(join(root, 'torch')).sort()).to.deep.equal(['include', 'lib', 'version.py']);
      const second = await runNode([script], { ...env, PATH: pathWithOnly('node') });
      expect(second.output).to.equal(`LibTorch 2.13.0 (cpu) in ${join(root, 'torch')}\n`);
    });

    it('installs once when two processes want it at the same time', async () => {
      const { cache, env, script } = emptyCache(folderOfWheels('cpu'));
      const outcomes = await Promise.all([runNode([script], env), runNode([script], env)]);
      expect(outcomes.map(({ status }) => status)).to.deep.equal([0, 0]);
      expect(outcomes.filter(({ output }) => output.includes('installing'))).to.have.length(1);
      expect(readdirSync(cache)).to.deep.equal(['libtorch-2.13.0-cpu']);
    });

    it('clears away what an interrupted install left, and does not use it', async () => {
      const { cache, env, script } = emptyCache(folderOfWheels('cpu'));
      mkdirSync(join(cache, `tmp-${finishedProcess()}-${hostname()}`, 'torch'), { recursive: true });
      mkdirSync(join(cache, 'libtorch-2.13.0-cpu', 'torch'), { recursive: true });
      writeFileSync(join(cache, 'libtorch-2.13.0-cpu.lock'), `${finishedProcess()} ${hostname()}`);
      const { status, output } = await runNode([script], env);
      expect(status, output).to.equal(0);
      expect(readdirSync(cache)).to.deep.equal(['libtorch-2.13.0-cpu']);
      expect(existsSync(join(cache, 'libtorch-2.13.0-cpu', 'torch', 'lib', 'libtorch_cpu.so'))).to.equal(true);
    });

    it('leaves nothing behind when it is stopped', async () => {
      const { cache, env, script } = emptyCache(folderOfWheels('cpu'));
      const { child, finished } = startNode([script], env);
      child.stdout.once('data', () => child.kill('SIGTERM'));
      const { status, output } = await finished;
      expect(status, output).to.equal(143);
      expect(readdirSync(cache)).to.deep.equal([]);
    });

    it('takes no CUDA build for the CPU flavour, and does not even download it', async () => {
      const index = await indexOf(folderOfWheels('cuda'));
      const { cache, env, script } = emptyCache(temporaryFolder(), {
        PIP_NO_INDEX: '',
        AIFORGE_TORCH_INDEX: index.url,
      });
      const outcome = await runNode([script], env);
      index.close();
      expectOneMessage(outcome, 'LIBTORCH_NOT_FOUND', 'No matching distribution', 'torch==2.13.0+cpu', 'LIBTORCH to');
      expect(index.asked).to.deep.equal(['/simple/torch/']);
      expect(readdirSync(cache)).to.deep.equal([]);
    });

    it('asks the index that AIFORGE_TORCH_INDEX names, and no other', async () => {
      const wheels = folderOfWheels('cpu');
      const index = await indexOf(wheels);
      const changes = { PIP_NO_INDEX: '', PIP_FIND_LINKS: '', AIFORGE_TORCH_INDEX: index.url };
      const { cache, env, script } = emptyCache(wheels, changes);
      const { status, output } = await runNode([script], env);
      index.close();
      expect(status, output).to.equal(0);
      expect(output).to.include(`trying ${index.url}`);
      expect(index.asked).to.deep.equal(['/simple/torch/', '/torch-2.13.0+cpu-py3-none-any.whl']);
      expect(readdirSync(cache)).to.deep.equal(['libtorch-2.13.0-cpu']);
    });

    it('refuses a wheel that is not the one PyTorch published', async () => {
      const wheels = folderOfWheels('cpu');
      const { cache, env } = emptyCache(wheels);
      const outcome = await runNode([script], env);
      expectOneMessage(
        outcome,
        'LIBTORCH_NOT_FOUND',
        'DO NOT MATCH THE HASHES',
        'not the wheel that PyTorch published',
      );
      expect(readdirSync(cache)).to.deep.equal([]);
    });

    it('refuses the CPU build when the CUDA flavour was asked for', async () => {
      const cpu = folderOfWheels('cpu');
      const { env } = emptyCache(cpu, { AIFORGE_FLAVOUR: 'cuda' });
      expectOneMessage(await runNode([script], env), 'LIBTORCH_NOT_FOUND', 'torch===2.13.0');
    });

    it('takes the CUDA build beside a CPU build of the same version, with the headers that it needs', async function () {
      const { bavail, bsize } = statfsSync(tmpdir());
      if (bavail * bsize < 12e9) {
        console.log('      skipped: the CUDA flavour asks for 12 GB of free space');
        return this.skip();
      }
      const { cache, env } = emptyCache(folderOfWheels('cuda', 'cpu'), { AIFORGE_FLAVOUR: 'cuda' });
      const { status, output } = await runNode([script], env);
      expect(status, output).to.equal(0);
      const folder = join(cache, 'libtorch-2.13.0-cuda');
      for (const file of [
        'torch/lib/libtorch_cuda.so',
        'nvidia/cu13/include/crt/host_defines.h',
        'nvidia/cu13/include/nv/target',
      ]) {
        expect(existsSync(join(folder, file)), file).to.equal(true);
      }
    });

    it('is not misled by a configuration of pip for other purposes', async () => {
      const changes = { PIP_USER: '1', PIP_REQUIRE_VIRTUALENV: '1' };
      const { env, script } = emptyCache(folderOfWheels('cpu'), changes);
      const { status, output } = await runNode([script], env);
      expect(status, output).to.equal(0);
    });

    it('says what pip said when pip finds no wheel', async () => {
      const { cache, env, script } = emptyCache(temporaryFolder());
      expectOneMessage(await runNode([script], env), 'No matching distribution', 'LIBTORCH');
      expect(readdirSync(cache)).to.deep.equal([]);
    });

    it('names both ways out when there is no Python', async () => {
      const { env, script } = emptyCache(temporaryFolder(), { PATH: pathWithOnly('node') });
      expectOneMessage(await runNode([script], env), 'there is no python3', 'python3-pip', 'LIBTORCH');
    });

    it('says how much space is missing', function () {
      const folder = temporaryFolder();
      const mount = `mount -t tmpfs -o size=50m tmpfs ${folder}`;
      if (spawnSync('unshare', ['-rm', 'sh', '-c', mount]).status !== 0) {
        console.log('      skipped: a small file system to try it on cannot be mounted here');
        return this.skip();
      }
      const { env, script } = emptyCache(temporaryFolder(), { XDG_CACHE_HOME: folder });
      const command = `${mount} && exec '${process.execPath}' ${script} 2>&1`;
      const { status, stdout } = spawnSync('unshare', ['-rm', 'sh', '-c', command], { env, encoding: 'utf8' });
      expectOneMessage({ status, output: stdout }, '0.1 GB free', 'needs 2.0 GB', 'XDG_CACHE_HOME');
    });

    it('says so when the cache cannot be written', async () => {
      const file = join(writeFiles(temporaryFolder(), { file: '' }), 'file');
      const { env, script } = emptyCache(temporaryFolder(), { XDG_CACHE_HOME: file });
      expectOneMessage(await runNode([script], env), file, 'XDG_CACHE_HOME');
    });
  });
});
