import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { allReady, Launchers } from './launch-fixtures/launcher.mjs';
import { until } from './launch-fixtures/processes.mjs';

describe('what a launcher cannot write', function () {
  this.timeout(60_000);
  let launchers: Launchers;
  beforeEach(() => (launchers = new Launchers()));
  afterEach(() => launchers.close());

  /** Starts ranks that print much, with a full disk as one of the launcher's streams, and resolves to what the other has. */
  async function onFullDisk(stream: 'stdout' | 'stderr'): Promise<{ status: unknown; output: string }> {
    const full = openSync('/dev/full', 'w');
    const cli = path.resolve('dist/lib/cli/aiforge-launch.js');
    const talk = 'for i in 1 2 3; do echo "out $i"; echo "err $i" >&2; sleep 0.1; done';
    const child = spawn(process.execPath, [cli, '--nproc', '2', '--', 'sh', '-c', talk], {
      stdio: ['ignore', stream === 'stdout' ? full : 'pipe', stream === 'stderr' ? full : 'pipe'],
    });
    let output = '';
    for (const pipe of [child.stdout, child.stderr]) pipe?.on('data', (text) => (output += String(text)));
    const status = await new Promise((resolve) => child.once('close', resolve));
    closeSync(full);
    return { status, output };
  }

  for (const [stream, other] of [
    ['stdout', 'err'],
    ['stderr', 'out'],
  ] as const) {
    it(`of ${stream}, on a full disk, it tells once on the other, and goes on`, async function () {
      if (!existsSync('/dev/full')) {
        console.log('      skipped: this system has no /dev/full');
        return this.skip();
      }
      const { status, output } = await onFullDisk(stream);
      expect(status).to.equal(0);
      const told = output.split('\n').filter((line) => line.startsWith('aiforge-launch: '));
      expect(told).to.have.length(1);
      expect(told[0]).to.match(
        new RegExp(`^aiforge-launch: what is printed on ${stream} cannot be written, and is lost: ENOSPC`),
      );
      expect(output).to.include(`[rank 1] ${other} 3\n`);
    });
  }

  describe('of what ranks record, on a full disk for temporary files,', () => {
    /** Starts ranks with a small disk of their own as TMPDIR; undefined where none can be mounted. */
    async function onSmallDisk(kilobytes: number, script: string) {
      const disk = launchers.folderOf('disk');
      const mount = `mount -t tmpfs -o size=${kilobytes}k aiforge "$TMPDIR" || exit 99; exec "$@"`;
      const file = path.join(launchers.folder, 'fails.mjs');
      writeFileSync(file, script);
      const words = [process.execPath, path.resolve('dist/lib/cli/aiforge-launch.js'), '--nproc', '2', file];
      const launcher = launchers.spawn('unshare', ['-rm', 'sh', '-c', mount, 'sh', ...words], { TMPDIR: disk });
      const status = await launcher.end.catch(() => 99);
      return status === 99 || /^unshare: /m.test(launcher.output()) ? undefined : { status, output: launcher.output() };
    }

    const inVain = 'new Error("barrier failed: timed out after 500 ms in collective 1 of the group.")';
    const fail = `if (process.env.RANK === '1') setTimeout(() => { throw ${inVain}; }, 1000);`;
    const fill = `
      import { writeFileSync } from 'node:fs';
      try { if (process.env.RANK === '1') writeFileSync(process.env.TMPDIR + '/fill', Buffer.alloc(1 << 22)); } catch {}
    `;
    const left = /root cause: rank 0 .* ended with exit status 0 while others still needed it\n/;

    it('it records elsewhere, and says so', async function () {
      const end = await onSmallDisk(64, fail);
      if (end === undefined) {
        console.log('      skipped: no disk can be mounted for a test here (unshare -rm)');
        return this.skip();
      }
      expect(end.status, end.output).to.equal(1);
      expect(end.output).to.match(/no folder can be made in .*\/disk \(ENOSPC: .*\): what ranks record goes to \//);
      expect(end.output).to.match(left).and.not.to.include('cannot be recorded');
    });

    it('a rank says so where the disk fills later, and the cause is found by what it showed', async function () {
      const end = await onSmallDisk(1024, fill + fail);
      if (end === undefined) {
        console.log('      skipped: no disk can be mounted for a test here (unshare -rm)');
        return this.skip();
      }
      expect(end.status, end.output).to.equal(1);
      expect(end.output).to.match(
        /\[rank 1\] aiforge: the error of this rank cannot be recorded for its launcher: .*ENOSPC/,
      );
      expect(end.output).to.match(left);
    });
  });

  for (const [when, go] of [
    ['while ranks print', 'yes line | head -c 100000'],
    ['and ranks print nothing more', ':'],
  ]) {
    it(`of logs whose folder was removed, it tells, ${when}`, async () => {
      const logs = path.join(launchers.folder, 'logs');
      const goOn = path.join(launchers.folder, 'go-on');
      const script = `echo "pid $$ all ready"; while [ ! -e '${goOn}' ]; do sleep 0.05; done; ${go}; exit 5`;
      const launcher = launchers.start(['--nproc', '1', '--log-dir', logs, '--', 'sh', '-c', script]);
      await allReady(launcher, 1);
      rmSync(logs, { recursive: true });
      writeFileSync(goOn, '');
      expect(await launcher.end).to.equal(5);
      const told = launcher
        .output()
        .match(/the log file '.*rank-0\.log' was removed, and what the rank prints goes to none any more\n/g);
      expect(told, launcher.output()).to.have.length(1);
      expect(launcher.output())
        .to.match(/root cause: rank 0/)
        .and.not.to.include('its log:');
    });
  }

  it('it says nothing of logs that are there', async () => {
    const logs = path.join(launchers.folder, 'logs');
    const launcher = launchers.start([
      '--nproc',
      '1',
      '--log-dir',
      logs,
      '--',
      'sh',
      '-c',
      'echo all ready; sleep 0.5',
    ]);
    await allReady(launcher, 1);
    await until(() => readFileSync(path.join(logs, 'rank-0.log'), 'utf8') === 'all ready\n');
    expect(await launcher.end).to.equal(0);
    expect(launcher.output()).to.equal('[rank 0] all ready\n');
  });
});
