import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';

import { expect } from 'chai';

import { availableCores, cpuQuota } from '#lib/cores.js';

import { temporaryFolder } from './support/project.mjs';

describe('cores', () => {
  const root = temporaryFolder('cgroups');
  const tree = (files: Record<string, string>): string => {
    const folder = path.join(root, String(Math.random()));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.join(folder, path.dirname(name)), { recursive: true });
      writeFileSync(path.join(folder, name), text);
    }
    return folder;
  };
  const second = (cgroup: string, files: Record<string, string>, top = '/', point = '/sys/fs/cgroup') =>
    tree({
      'proc/self/cgroup': `0::${cgroup}\n`,
      'proc/self/mountinfo': `22 1 0:20 / /proc rw - proc proc rw\n30 23 0:26 ${top} ${point} rw,nosuid shared:4 - cgroup2 cgroup2 rw\n`,
      ...files,
    });
  const first = (cgroup: string, files: Record<string, string>, top = '/') =>
    tree({
      'proc/self/cgroup': `5:memory:/other\n4:cpu,cpuacct:${cgroup}\n1:name=systemd:/init\n`,
      'proc/self/mountinfo': `31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
32 23 0:28 ${top} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n`,
      ...files,
    });
  const v1 = (folder: string, quota: number, period = 100_000) => ({
    [`sys/fs/cgroup/cpu,cpuacct${folder}/cpu.cfs_quota_us`]: `${quota}\n`,
    [`sys/fs/cgroup/cpu,cpuacct${folder}/cpu.cfs_period_us`]: `${period}\n`,
  });

  it('are limited by the quota of a cgroup of version 2', () => {
    expect(cpuQuota(second('/', { 'sys/fs/cgroup/cpu.max': '150000 100000\n' }))).to.equal(1.5);
    expect(cpuQuota(second('/a/b', { 'sys/fs/cgroup/a/b/cpu.max': '20000 10000\n' }))).to.equal(2);
    expect(cpuQuota(second('/a/b', { 'sys/fs/cgroup/a/b/cpu.max': 'max 100000\n' }))).to.equal(Infinity);
  });

  it('are limited by that of version 1', () => {
    expect(cpuQuota(first('/', v1('', 250_000)))).to.equal(2.5);
    expect(cpuQuota(first('/a', v1('/a', 5000, 10_000)))).to.equal(0.5);
    expect(cpuQuota(first('/a', v1('/a', -1)))).to.equal(Infinity);
  });

  it('are limited by the smallest of a cgroup and those above it', () => {
    const files = { 'sys/fs/cgroup/a/cpu.max': '100000 100000', 'sys/fs/cgroup/a/b/cpu.max': '300000 100000' };
    expect(cpuQuota(second('/a/b/c', files))).to.equal(1);
    expect(cpuQuota(first('/a/b', { ...v1('/a', 400_000), ...v1('/a/b', 600_000), ...v1('', -1) }))).to.equal(4);
  });

  it('are those of the part that a container sees of the cgroups', () => {
    const max = { 'sys/fs/cgroup/cpu.max': '200000 100000' };
    expect(cpuQuota(second('/docker/x', max, '/docker/x'))).to.equal(2);
    expect(
      cpuQuota(second('/docker/x/in', { 'sys/fs/cgroup/in/cpu.max': '100000 100000', ...max }, '/docker/x')),
    ).to.equal(1);
    expect(cpuQuota(second('/../..', max))).to.equal(2);
    expect(cpuQuota(first('/docker/x', v1('', 300_000), '/docker/x'))).to.equal(3);
    expect(cpuQuota(second('/', { 'my mount/cpu.max': '100000 100000' }, '/', '/my\\040mount'))).to.equal(1);
  });

  it('have no limit where nothing says so', () => {
    expect(cpuQuota(tree({ empty: '' }))).to.equal(Infinity);
    expect(cpuQuota(second('/a', {}))).to.equal(Infinity);
    expect(cpuQuota(second('/a', { 'sys/fs/cgroup/a/cpu.max': 'nonsense' }))).to.equal(Infinity);
    expect(cpuQuota(tree({ 'proc/self/cgroup': '', 'proc/self/mountinfo': '\n' }))).to.equal(Infinity);
  });

  it('that are available are whole, at least one, and no more than the affinity leaves', () => {
    const withQuota = (time: number): string => second('/', { 'sys/fs/cgroup/cpu.max': `${time} 1000` });
    expect(availableCores(withQuota(100))).to.equal(1);
    expect(availableCores(withQuota(1999))).to.equal(1);
    expect(availableCores(withQuota(1e6))).to.equal(availableParallelism());
    expect(availableCores(tree({ empty: '' }))).to.equal(availableParallelism());
  });
});
