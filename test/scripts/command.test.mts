import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runNode, startNode, temporaryFolder, writeFiles } from './sandbox.mjs';

const moduleUrl = (name: string) => pathToFileURL(resolve('scripts', 'provision', name)).href;

/** A script that runs `child` through runToExit and ends with its exit status, as `npm start` does. */
function wrapper(child: string): string {
  const folder = writeFiles(temporaryFolder(), {
    'child.mjs': child,
    'wrapper.mjs': `import { runToExit } from '${moduleUrl('command.mjs')}';
import { runMain } from '${moduleUrl('main.mjs')}';
await runMain(() => runToExit(process.execPath, [new URL('child.mjs', import.meta.url).pathname]));`,
  });
  return join(folder, 'wrapper.mjs');
}

describe('scripts/provision', () => {
  it('passes a command’s exit status on', async () => {
    expect(await runNode([wrapper('process.exit(7)')], process.env)).to.have.property('status', 7);
    expect(await runNode([wrapper("process.kill(process.pid, 'SIGKILL')")], process.env)).to.have.property(
      'status',
      137,
    );
  });

  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`passes ${signal} on and waits for the command to end its work`, async () => {
      const child = `process.on('${signal}', () => setTimeout(() => {
  console.log('saved');
  process.exit(${status});
}, 200));
setInterval(() => {}, 1000);
console.log('ready');`;
      const { child: running, finished } = startNode([wrapper(child)], process.env);
      running.stdout.once('data', () => running.kill(signal));
      expect(await finished).to.deep.equal({ status, output: 'ready\nsaved\n' });
    });
  }

  it('lets one process at a time hold a lock, and takes one over from a process that is gone', async () => {
    const folder = temporaryFolder();
    const [lock, log] = [join(folder, 'lock'), join(folder, 'log')];
    const script = join(
      writeFiles(folder, {
        'work.mjs': `import { appendFileSync } from 'node:fs';
import { withLock } from '${moduleUrl('lock.mjs')}';
await withLock('${lock}', async () => {
  appendFileSync('${log}', 'in ');
  await new Promise((resolve) => setTimeout(resolve, 100));
  appendFileSync('${log}', 'out ');
});`,
        lock: `999999999 ${hostname()}`,
      }),
      'work.mjs',
    );
    const outcomes = await Promise.all([1, 2, 3].map(() => runNode([script], process.env)));
    expect(outcomes.map(({ status }) => status)).to.deep.equal([0, 0, 0]);
    expect(readFileSync(log, 'utf8')).to.equal('in out in out in out ');
    expect(existsSync(lock)).to.equal(false);
  });
});
