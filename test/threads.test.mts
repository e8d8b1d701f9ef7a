import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';

import { expect } from 'chai';

import { cpuQuota } from '#lib/cores.js';
import { threadsAtStart } from '#lib/threads.js';

import { temporaryFolder } from './support/project.mjs';

const { AIFORGE_NUM_THREADS: _a, OMP_NUM_THREADS: _o, MKL_NUM_THREADS: _m, ...plainEnv } = process.env;

const program = path.resolve('build/test/support/threads.mjs');

/** The threads that operators say they have and those that one starts, in the main thread and in a worker. */
interface Found {
  main: { threads: number; started: number };
  worker: { threads: number; started: number };
}

const run = (command: string, args: string[], env: NodeJS.ProcessEnv): Found =>
  JSON.parse(execFileSync(command, args, { encoding: 'utf8', env: { ...plainEnv, ...env } })) as Found;

const withThreads = (threads: number): Found => {
  const each = { threads, started: threads - 1 };
  return { main: each, worker: each };
};

describe('threads of operators', () => {
  const root = temporaryFolder('quotas');

  const node = (env: NodeJS.ProcessEnv): Found => run(process.execPath, [program], env);

  it('are as many as AIFORGE_NUM_THREADS says, in the main thread and in workers', () => {
    expect(node({ AIFORGE_NUM_THREADS: '3' })).to.deep.equal(withThreads(3));
    expect(node({ AIFORGE_NUM_THREADS: '1', OMP_NUM_THREADS: '2' })).to.deep.equal(withThreads(1));
  });

  it('are as many as OMP_NUM_THREADS or MKL_NUM_THREADS says without it', () => {
    expect(node({ AIFORGE_NUM_THREADS: '', OMP_NUM_THREADS: '1' })).to.deep.equal(withThreads(1));
    expect(node({ MKL_NUM_THREADS: '1' }).main.threads).to.equal(1);
  });

  it('stay as a program has set them when a worker loads the library', () => {
    expect(node({ AIFORGE_NUM_THREADS: '3', SET: '2' })).to.deep.equal(withThreads(2));
  });

  it('keep to the affinity of the process', () => {
    expect(run('taskset', ['-c', firstCore(), process.execPath, program], {})).to.deep.equal(withThreads(1));
  });

  it('are Python’s without limits', function () {
    const python = process.env.AIFORGE_REFERENCE_PYTHON;
    if (python === undefined || cpuQuota() !== Infinity) {
      console.log('      skipped: needs AIFORGE_REFERENCE_PYTHON (`npm test -- --reference`) and no CPU quota');
      this.skip();
    }
    const script = 'import torch; print(torch.get_num_threads())';
    const theirs = Number(execFileSync(python, ['-c', script], { encoding: 'utf8', env: plainEnv }));
    expect(node({}).main.threads).to.equal(theirs);
  });

  for (const wrong of ['0', '-1', '1.5', 'two', '1025', ' ']) {
    it(`refuse AIFORGE_NUM_THREADS='${wrong}' when the library is loaded, each time`, () => {
      const script = `
        for (let i = 0; i < 2; ++i) try { require('aiforge'); } catch (error) { console.log(error.code, error.message); }`;
      const env = { ...plainEnv, AIFORGE_NUM_THREADS: wrong };
      const { stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', env });
      const line = `CONFIG_INVALID AIFORGE_NUM_THREADS: got '${wrong}', expected a whole number from 1 to 1024. Set it to`;
      expect(stdout.split('\n').filter((each) => each.startsWith(line))).to.have.length(2);
    });
  }

  it('are limited by a quota, never raised to it, and only where no variable says otherwise', () => {
    const withQuota = (cores: string): string => {
      const folder = path.join(root, cores);
      mkdirSync(path.join(folder, 'proc/self'), { recursive: true });
      writeFileSync(path.join(folder, 'proc/self/cgroup'), '0::/\n');
      writeFileSync(path.join(folder, 'proc/self/mountinfo'), '30 23 0:26 / /cgroup rw - cgroup2 cgroup2 rw\n');
      mkdirSync(path.join(folder, 'cgroup'));
      writeFileSync(path.join(folder, 'cgroup/cpu.max'), `${cores} 1`);
      return folder;
    };
    const [one, many, none] = [withQuota('1'), withQuota('999'), withQuota('max')];
    expect(threadsAtStart({}, () => 64, one)).to.equal(1);
    expect(threadsAtStart({}, () => 1, many)).to.equal(1);
    expect(threadsAtStart({}, () => 64, none)).to.equal(null);
    expect(threadsAtStart({ AIFORGE_NUM_THREADS: '5' }, () => 64, one)).to.equal(5);
    for (const name of ['OMP_NUM_THREADS', 'MKL_NUM_THREADS']) {
      expect(
        threadsAtStart({ [name]: '4' }, () => 4, one),
        name,
      ).to.equal(null);
      expect(
        threadsAtStart({ [name]: '' }, () => 64, one),
        name,
      ).to.equal(1);
      expect(
        threadsAtStart({ [name]: 'many' }, () => 64, one),
        name,
      ).to.equal(1);
    }
    expect(threadsAtStart({ OMP_NUM_THREADS: '4,2' }, () => 4, one)).to.equal(null);
  });

  it('keep to the CPU quota of a cgroup', function () {
    const cgroup = makeCgroup();
    if (cgroup === null) {
      console.log('      skipped: this process may not make a cgroup with a CPU quota');
      return this.skip();
    }
    const inside = (cores: number, env: NodeJS.ProcessEnv): Found => {
      cgroup.limit(cores);
      return run(
        'sh',
        ['-c', `echo $$ > ${cgroup.folder}/cgroup.procs; exec "$0" "$1"`, process.execPath, program],
        env,
      );
    };
    try {
      expect(inside(1, {})).to.deep.equal(withThreads(1));
      expect(inside(1.9, {})).to.deep.equal(withThreads(1));
      expect(inside(1, { OMP_NUM_THREADS: '2' }).main.threads).to.equal(Math.min(2, availableParallelism()));
    } finally {
      rmdirSync(cgroup.folder);
    }
  });
});

const firstCore = (): string => /Cpus_allowed_list:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]!;

/** A cgroup below this process's own, where that is allowed. */
function makeCgroup(): { folder: string; limit: (cores: number) => void } | null {
  const own = readFileSync('/proc/self/cgroup', 'utf8');
  const [, first] = /^\d+:cpu(?:,cpuacct)?:(.*)$/m.exec(own) ?? [];
  const [, second] = /^0::(.*)$/m.exec(own) ?? [];
  const parent =
    first === undefined ? path.join('/sys/fs/cgroup', second ?? '') : path.join('/sys/fs/cgroup/cpu', first);
  const folder = path.join(parent, `aiforge-test-${process.pid}`);
  const limit = (cores: number): void => {
    const quota = Math.round(cores * 100_000);
    if (first === undefined) writeFileSync(path.join(folder, 'cpu.max'), `${quota} 100000`);
    else writeFileSync(path.join(folder, 'cpu.cfs_quota_us'), `${quota}`);
  };
  try {
    mkdirSync(folder);
    limit(1);
    return { folder, limit };
  } catch {
    return null;
  }
}
