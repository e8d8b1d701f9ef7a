import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';

import { expect } from 'chai';

import { availableCores } from '#lib/cores.js';
import { launch, type LaunchOptions, type LaunchResult } from '#lib/distributed/launch.js';
import { LineTee } from '#lib/distributed/launch/output.js';
import { isRunning, printedPids } from './launch-fixtures/processes.mjs';

const fixture = (name: string): string => join(process.cwd(), 'test', 'distributed', 'launch-fixtures', name);

interface Printed {
  env: Record<string, string>;
  args: string[];
}

interface Run extends LaunchResult {
  stdout: string;
  stderr: string;
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('it should have been rejected'),
    (error: unknown) => error,
  );
}

describe('launch', function () {
  this.timeout(60_000);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'aiforge-launch-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function run(options: Omit<LaunchOptions, 'stdout' | 'stderr'>): Promise<Run> {
    const written = { stdout: '', stderr: '' };
    const result = await launch({
      shutdownTimeout: 20,
      env: { ...process.env, READY_FOLDER: folder },
      ...options,
      stdout: { write: (text) => (written.stdout += text) },
      stderr: { write: (text) => (written.stderr += text) },
    });
    return { ...result, ...written };
  }

  /** Starts one rank for each behaviour, see the fixture. */
  function behave(behaviours: string[], options: Partial<LaunchOptions> = {}): Promise<Run> {
    return run({ nproc: behaviours.length, target: fixture('behave.mjs'), args: behaviours, ...options });
  }

  async function printedBy(options: Partial<LaunchOptions>): Promise<Printed[]> {
    const { status, stdout } = await run({ nproc: 2, target: fixture('print-env.mjs'), prefix: false, ...options });
    expect(status).to.equal(0);
    const printed = stdout.split('\n').filter((line) => line !== '');
    return printed.map((line) => JSON.parse(line) as Printed).sort((a, b) => Number(a.env.RANK) - Number(b.env.RANK));
  }

  describe('environment', () => {
    it("is torchrun's", async () => {
      const ranks = await printedBy({ maxRestarts: 3, args: ['--lr', '0.1'] });
      expect(ranks).to.have.length(2);
      ranks.forEach(({ env, args }, rank) => {
        expect(env).to.include({
          RANK: `${rank}`,
          LOCAL_RANK: `${rank}`,
          WORLD_SIZE: '2',
          LOCAL_WORLD_SIZE: '2',
          GROUP_RANK: '0',
          GROUP_WORLD_SIZE: '1',
          ROLE_RANK: `${rank}`,
          ROLE_WORLD_SIZE: '2',
          ROLE_NAME: 'default',
          MASTER_ADDR: '127.0.0.1',
          TORCHELASTIC_RESTART_COUNT: '0',
          TORCHELASTIC_MAX_RESTARTS: '3',
          TORCHELASTIC_USE_AGENT_STORE: 'False',
        });
        expect(Number(env.MASTER_PORT)).to.be.within(1, 65535);
        expect(env.TORCHELASTIC_RUN_ID).to.match(/./);
        expect(args).to.deep.equal(['--lr', '0.1']);
      });
      expect(ranks[0]?.env.MASTER_PORT).to.equal(ranks[1]?.env.MASTER_PORT);
      expect(ranks[0]?.env.TORCHELASTIC_RUN_ID).to.equal(ranks[1]?.env.TORCHELASTIC_RUN_ID);
      expect(ranks[0]?.env.TORCHELASTIC_ERROR_FILE).to.not.equal(ranks[1]?.env.TORCHELASTIC_ERROR_FILE);
    });

    it('numbers the ranks of a second machine after those of the first', async () => {
      const ranks = await printedBy({ nnodes: 2, nodeRank: 1, masterAddr: 'first.example', masterPort: 29511 });
      expect(ranks.map(({ env }) => [env.RANK, env.LOCAL_RANK, env.WORLD_SIZE, env.GROUP_RANK])).to.deep.equal([
        ['2', '0', '4', '1'],
        ['3', '1', '4', '1'],
      ]);
      expect(ranks[0]?.env).to.include({ MASTER_ADDR: 'first.example', MASTER_PORT: '29511', GROUP_WORLD_SIZE: '2' });
    });

    it('divides the cores between the ranks unless OMP_NUM_THREADS is set', async () => {
      const { OMP_NUM_THREADS: _, ...env } = process.env;
      const threads = async (nproc: number, inherited: NodeJS.ProcessEnv): Promise<(string | undefined)[]> =>
        (await printedBy({ nproc, env: inherited })).map((rank) => rank.env.OMP_NUM_THREADS);
      const share = `${Math.max(1, Math.floor(availableCores() / 2))}`;
      expect(await threads(2, env)).to.deep.equal([share, share]);
      expect(await threads(2, { ...env, OMP_NUM_THREADS: '7' })).to.deep.equal(['7', '7']);
      expect(await threads(1, env)).to.deep.equal([undefined]);
    });
  });

  describe('output', () => {
    it('is prefixed with the rank and logged to a file a rank as it came', async () => {
      const logDir = join(folder, 'logs');
      const { stdout } = await behave(['ok', 'ok'], { logDir });
      for (const rank of [0, 1]) {
        expect(stdout).to.include(`[rank ${rank}] all ready\n`);
        const log = readFileSync(join(logDir, `rank-${rank}.log`), 'utf8');
        expect(log).to.match(/^pid \d+ port \d+\nall ready\n$/);
      }
    });

    function tee(progress: boolean, chunks: (string | Buffer)[]): string {
      let written = '';
      const lines = new LineTee({ prefix: '> ', progress, write: (lines) => void (written += lines.toString()) });
      for (const chunk of chunks) void lines.push(Buffer.from(chunk as string));
      lines.end();
      return written;
    }

    it('keeps lines whole that arrive in parts, and ends the last', () => {
      expect(tee(true, ['a', 'b\nc', '\n\nd'])).to.equal('> ab\n> c\n> \n> d\n');
    });

    it('keeps a character whole that arrives in parts', () => {
      const bytes = Buffer.from('grün 🌲\n');
      expect(
        tee(
          false,
          [...bytes].map((byte) => Buffer.from([byte])),
        ),
      ).to.equal('> grün 🌲\n');
    });

    it('passes on the progress of one rank and only the last state of the others', () => {
      const chunks = ['10%\r', '20', '%\r', 'done\nnext\n'];
      expect(tee(true, chunks)).to.equal('> 10%\r> 20%\r> done\n> next\n');
      expect(tee(false, chunks)).to.equal('> done\n> next\n');
    });

    it('takes a carriage return and a line feed for one end of a line, also in two parts', () => {
      expect(tee(false, ['a\r', '\nb\r\n'])).to.equal('> a\n> b\n');
      expect(tee(true, ['a\r', '\nb\r\n'])).to.equal('> a\r\n> b\r\n');
    });
  });

  describe('failure', () => {
    it('names the rank that failed first, with its error and stack, and stops the others', async () => {
      const { status, rootCause, ranks, stderr, stdout } = await behave(['wait', 'throw', 'wait']);
      expect(status).to.equal(1);
      expect(rootCause).to.include({ rank: 1, status: 1 });
      expect(rootCause?.recorded?.message).to.equal('RangeError: rank 1 threw');
      expect(rootCause?.recorded?.callstack).to.include('behave.mjs');
      expect(ranks.map(({ signal }) => signal)).to.deep.equal(['SIGTERM', undefined, 'SIGTERM']);
      expect(stderr).to.match(/root cause: rank 1 .* exit status 1\n {4}RangeError: rank 1 threw\n/);
      expect(stderr.slice(stderr.indexOf('root cause'))).to.not.include('behave.mjs');
      expect(printedPids(stdout).filter(isRunning)).to.deep.equal([]);
    });

    it('shows what was thrown that is no error as Node.js does', async () => {
      expect((await behave(['throw-object', 'wait'])).stderr).to.match(
        /exit status 1\n {4}\{ why: 'object thrown' \}\n/,
      );
      expect((await behave(['throw-text', 'wait'])).stderr).to.match(/exit status 1\n {4}a text\n/);
      expect((await behave(['throw-bare', 'wait'])).stderr).to.match(/exit status 1\n {4}\{\}\n/);
    });

    it('says what Node.js means by status 13', async () => {
      const { status, stderr } = await behave(['never', 'wait']);
      expect(status).to.equal(13);
      expect(stderr).to.match(
        /root cause: rank 0 .* ended with exit status 13, in Node\.js that of a top-level await that never settles/,
      );
    });

    it('passes on the exit status, with the last lines on stderr where no error was recorded', async () => {
      const { status, rootCause, stderr } = await behave(['exit:3', 'wait']);
      expect(status).to.equal(3);
      expect(rootCause?.stderrTail).to.deep.equal(['rank 0 gives up']);
      expect(stderr).to.match(/root cause: rank 0[^]*its last lines on stderr:\n {4}rank 0 gives up\n/);
    });

    it('names the signal that killed a rank', async () => {
      const { status, rootCause, stderr } = await behave(['wait', 'die:SIGKILL']);
      expect(status).to.equal(137);
      expect(rootCause).to.include({ rank: 1, signal: 'SIGKILL' });
      expect(stderr).to.match(/root cause: rank 1 .* was killed by SIGKILL/);
    });

    it('takes the error that was recorded first for the cause, though its rank ended later', async () => {
      const { status, rootCause } = await behave(['fail-after-cause', 'slow-to-end']);
      expect(rootCause).to.include({ rank: 1, status: 7 });
      expect(rootCause?.recorded?.message).to.equal('the cause');
      expect(status).to.equal(7);
    });

    for (const lost of ['lose:0', 'lose-in-python:0', 'lose-store:0']) {
      for (const late of [300, 1500]) {
        it(`takes ${lost} for no cause, though the rank that was lost fails ${late} ms later`, async () => {
          const { status, rootCause, stderr } = await behave([lost, `throw-late:${late}`]);
          expect(status).to.equal(1);
          expect(rootCause).to.include({ rank: 1 });
          expect(stderr).to.match(/root cause: rank 1 [^]*RangeError: rank 1 threw\n/);
        });
      }
    }

    it('names a rank that ended well while others still needed it, and does not end well', async () => {
      const { status, rootCause, ranks, stderr } = await behave(['wait', 'ok', 'lose:300']);
      expect(status).to.equal(1);
      expect(rootCause).to.include({ rank: 1, status: 0 });
      expect(ranks.map(({ stoppedWith }) => stoppedWith)).to.deep.equal(['SIGTERM', undefined, undefined]);
      expect(stderr).to.match(/root cause: rank 1 .* ended with exit status 0 while others still needed it\n/);
    });

    it('names a rank that lost another where no other rank of this machine ended by itself', async () => {
      const { status, rootCause } = await behave(['lose:0', 'wait']);
      expect(status).to.equal(1);
      expect(rootCause).to.include({ rank: 0 });
    });

    it("reads the error that Python's ranks record", async () => {
      const { rootCause, stderr } = await behave(['python-error']);
      expect(rootCause?.recorded).to.include({ message: 'ValueError: no', callstack: 'Traceback: here' });
      expect(stderr).to.include('    ValueError: no\n');
    });

    it('kills a rank that does not stop, and what ranks have started', async () => {
      const { status, ranks, stdout, stderr } = await behave(['stubborn', 'exit:4', 'family'], {
        shutdownTimeout: 0.5,
      });
      expect(status).to.equal(4);
      expect(stderr).to.match(/rank 0 has not ended 0\.5 s after SIGTERM: killing it\. .*raise --shutdown-timeout/);
      expect(ranks[0]).to.include({ signal: 'SIGKILL', stoppedWith: 'SIGKILL' });
      expect(stdout).to.include('[rank 0] ignored SIGTERM\n');
      const pids = printedPids(stdout);
      expect(pids).to.have.length(4);
      expect(pids.filter(isRunning)).to.deep.equal([]);
    });

    it('leaves nothing behind of a rank that ends well', async () => {
      const { status, stdout } = await behave(['leave:0'], { shutdownTimeout: 0.5 });
      expect(status).to.equal(0);
      const pids = printedPids(stdout);
      expect(pids).to.have.length(2);
      expect(pids.filter(isRunning)).to.deep.equal([]);
    });
  });

  describe('restarts', () => {
    it('start the whole group again on another port', async () => {
      const { status, restarts, ranks, stdout, stderr } = await behave(['save', 'exit:6'], {
        maxRestarts: 2,
        logDir: folder,
      });
      expect({ status, restarts }).to.deep.equal({ status: 6, restarts: 2 });
      expect(ranks.map((rank) => rank.status)).to.deep.equal([143, 6]);
      expect(stdout.match(/\[rank 0\] all ready/g)).to.have.length(3);
      const ports = [...stdout.matchAll(/port (\d+)/g)].map((match) => match[1]);
      expect(ports).to.have.length(6);
      expect(new Set(ports).size).to.be.within(2, 3);
      expect(stderr).to.include('(restart 2 of at most 2)');
      expect(readFileSync(join(folder, 'rank-1.restart-2.log'), 'utf8')).to.include('rank 1 gives up');
    });

    it('end with 0 when a later start succeeds', async () => {
      const { status, restarts, rootCause } = await behave(['fail-once', 'ok'], { maxRestarts: 3 });
      expect({ status, restarts, rootCause }).to.deep.equal({ status: 0, restarts: 1, rootCause: undefined });
    });
  });

  it('does not hand on the program of node -e, nor the inspector: ranks would launch ranks without end', () => {
    const options = JSON.stringify(join(process.cwd(), 'dist/lib/distributed/launch/settings.js'));
    const print = `console.log(JSON.stringify(require(${options}).resolveOptions({ nproc: 1, target: 'x' }).nodeArgs))`;
    for (const given of [
      ['-e', print],
      ['--eval', print],
      [`--eval=${print}`],
      ['--input-type=commonjs', '-e', print],
      ['--inspect=0', '-e', print],
    ]) {
      const { stdout } = spawnSync(process.execPath, ['--no-deprecation', ...given], { encoding: 'utf8' });
      expect(JSON.parse(stdout), given[0]).to.deep.equal(['--no-deprecation']);
    }
  });

  describe('what cannot be started', () => {
    it('is refused when the port is in use, before any rank starts', async () => {
      const server = createServer().listen(0);
      await once(server, 'listening');
      try {
        const { port } = server.address() as AddressInfo;
        const logDir = join(folder, 'logs');
        const error = await rejection(behave(['ok', 'ok'], { masterPort: port, logDir }));
        expect(error).to.include({ code: 'LAUNCH_FAILED' });
        expect((error as Error).message).to.include(`${port} is already in use`);
        expect(() => readFileSync(join(logDir, 'rank-0.log'))).to.throw(/ENOENT/);
      } finally {
        server.close();
      }
    });

    const refused: [Partial<LaunchOptions>, string, RegExp][] = [
      [{ nproc: 0 }, 'INVALID_ARGUMENT', /nproc is 0/],
      [{ maxRestart: 1 } as object, 'INVALID_ARGUMENT', /no option 'maxRestart'\. Did you mean 'maxRestarts'\?/],
      [{ prefix: 'no' } as object, 'INVALID_ARGUMENT', /prefix must be true or false, got 'no'/],
      [{ nproc: 1.5 }, 'INVALID_ARGUMENT', /nproc is 1\.5/],
      [{ nodeRank: 1 }, 'INVALID_ARGUMENT', /nodeRank is 1.*from 0 to 0/],
      [{ masterPort: 70000 }, 'INVALID_ARGUMENT', /masterPort is 70000/],
      [{ shutdownTimeout: -1 }, 'INVALID_ARGUMENT', /shutdownTimeout is -1/],
      [{ nnodes: 2 }, 'INVALID_ARGUMENT', /give nodeRank, or rdzvEndpoint/],
      [{ nnodes: 2, nodeRank: 0, masterPort: 29511, maxRestarts: 1 }, 'INVALID_ARGUMENT', /maxRestarts is 1/],
      [{ target: 'missing.js' }, 'FILE_NOT_FOUND', /no script '.*missing\.js'/],
      [{ target: 'missing-program', executable: true }, 'FILE_NOT_FOUND', /'missing-program' .* on PATH/],
    ];
    for (const [options, code, message] of refused) {
      it(`is refused: ${JSON.stringify(options)}`, async () => {
        const error = await rejection(behave(['ok'], options));
        expect(error).to.include({ code });
        expect((error as Error).message).to.match(message);
      });
    }

    it('is refused: a log folder that cannot be made', async () => {
      const error = await rejection(behave(['wait', 'wait'], { logDir: fixture('behave.mjs') }));
      expect(error).to.include({ code: 'LAUNCH_FAILED' });
    });
  });
});
