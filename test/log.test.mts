import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';

const logModule = JSON.stringify(resolve('dist/lib/log.js'));

/** Runs statements in a process of its own, since the logger's level and its files belong to the process. */
function run(statements: string, env: Record<string, string> = {}) {
  const script = `const { logger, childLogger, addLogFile } = require(${logModule});\n${statements}`;
  const { PATH = '' } = process.env;
  return spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', env: { PATH, ...env } });
}

const lines = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('log', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'aiforge-log-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is silent and loads no pino unless it is asked to speak', () => {
    const { stdout, stderr } = run(`
      logger.fatal('nobody hears this');
      console.log(Object.keys(require.cache).some((file) => /node_modules.pino/.test(file)));`);
    expect(stderr).to.equal('');
    expect(stdout).to.equal('false\n');
  });

  it('writes JSON lines to stderr at LOG_LEVEL and above, and none is lost when the process exits at once', () => {
    const { stdout, stderr, status } = run(
      `logger.debug('hidden'); logger.info({ epoch: 3 }, 'shown'); logger.error(new Error('broken')); process.exit(7);`,
      { LOG_LEVEL: 'INFO', RANK: '1' },
    );
    const written = lines(stderr);
    expect(status).to.equal(7);
    expect(stdout).to.equal('');
    expect(written).to.have.length(2);
    expect(written[0]).to.include({ level: 30, msg: 'shown', epoch: 3, rank: 1 });
    expect(written[1]).to.have.nested.property('err.message', 'broken');
  });

  it('can be raised by the program, for children made before as well', () => {
    const { stderr } = run(`
      const child = childLogger({ part: 'data' });
      child.info('before');
      logger.level = 'info';
      child.info('after');
      logger.level = 'silent';
      child.fatal('end');`);
    expect(lines(stderr).map(({ part, msg }) => [part, msg])).to.deep.equal([['data', 'after']]);
  });

  it('treats an unknown LOG_LEVEL as info, since it must not stop a program at a log line', () => {
    const { stderr } = run(`logger.debug('hidden'); logger.info('shown');`, { LOG_LEVEL: 'loud' });
    expect(lines(stderr).map(({ msg }) => msg)).to.deep.equal(['shown']);
  });

  it('writes errors that pino cannot, and does not throw its own in their place', () => {
    const { status, stderr } = run(
      `logger.error(Object.freeze(new RangeError('frozen')), 'first');
      logger.error(Object.defineProperty(new Error(), 'odd', { enumerable: true, get() { throw new Error('getter'); } }), 'second');
      logger.error(Object.defineProperty(new Error(), 'message', { get() { throw new Error('getter'); } }), 'third');`,
      { LOG_LEVEL: 'error' },
    );
    expect(status).to.equal(0);
    const written = lines(stderr);
    expect(written).to.have.length(3);
    expect(written[0]).to.have.nested.property('err.message', 'RangeError: frozen');
    expect(written[2]).to.have.nested.property('err.message', 'an error that cannot be read');
  });

  it('writes a run file at its own level while the console is silent, appends to it and stops when closed', () => {
    const file = JSON.stringify(join(folder, 'run', 'log.jsonl'));
    const { stderr } = run(`
      const close = addLogFile(${file});
      logger.debug('hidden');
      logger.info('first');
      close();
      close();
      logger.info('in between');
      addLogFile(${file}, 'debug');
      logger.debug('second');
      process.exit();`);
    expect(stderr).to.equal('');
    const written = lines(readFileSync(join(folder, 'run', 'log.jsonl'), 'utf8'));
    expect(written.map(({ msg }) => msg)).to.deep.equal(['first', 'second']);
  });

  it('writes no more to a file whose disk is full, after one warning, and goes on', () => {
    const { stdout, stderr, status } = run(
      `const close = addLogFile('/dev/full');
      for (let i = 0; i < 3; i++) logger.info('lost');
      close();
      console.log('went on');`,
      { LOG_LEVEL: 'warn' },
    );
    expect(status).to.equal(0);
    expect(stdout).to.equal('went on\n');
    expect(lines(stderr).map(({ msg }) => msg)).to.deep.equal([
      'The log /dev/full is no longer written; check the disk.',
    ]);
  });

  it('throws when a log file cannot be opened', () => {
    const { stderr } = run(`addLogFile('/dev/null/log.jsonl')`);
    expect(stderr).to.match(/(ENOTDIR|EEXIST): .*\/dev\/null/);
  });

  it('writes readable lines on a terminal', function () {
    const statements = 'require("./dist/lib/log.js").logger.info({ epoch: 3 }, "shown")';
    const command = `'${process.execPath}' -e '${statements}'`;
    const { PATH = '' } = process.env;
    const result = spawnSync('script', ['-qec', command, '/dev/null'], {
      encoding: 'utf8',
      env: { PATH, LOG_LEVEL: 'info', NO_COLOR: '1' },
    });
    if (result.error) {
      console.log(`skipped: no terminal can be made without the program 'script' (${result.error.message})`);
      this.skip();
    }
    expect(result.stdout).to.match(/^\[\d\d:\d\d:\d\d\] INFO: shown\s+epoch: 3\s*$/);
  });
});
