import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { freePort } from '../distributed/launch-fixtures/nodes.mjs';
import { until } from '../distributed/launch-fixtures/processes.mjs';
import { finished, run, start, temporaryFolder } from '../support/project.mjs';
import { onlyRun, runFolders } from '../support/runFolder.mjs';

const train = ['train', path.resolve('test/cli/fixtures/experiments/faulty.yaml')];
const conf = 'keep_alive_interval=0.5,last_call_timeout=1,join_timeout=40';

/** What two nodes with a rank each leave of a run, whatever happens to them, is what two ranks of one node leave. */
describe('training on two nodes', function () {
  this.timeout(90_000);
  const folder = temporaryFolder('nodes');
  let weights: string;

  const weightsOf = (inside: string) =>
    readFileSync(path.join(onlyRun(inside, 'faulty'), 'last.safetensors'), 'base64');

  before(async () => {
    const undisturbed = path.join(folder, 'undisturbed');
    const { status, stderr } = await run('aiforge-launch', ['--nproc', '2', ...train], undisturbed);
    expect(status, stderr).to.equal(0);
    weights = weightsOf(undisturbed);
  });

  const node = (port: number, restarts: number, inside: string, env = {}): ChildProcess =>
    start(
      'aiforge-launch',
      [
        '--nproc',
        '1',
        '--nnodes',
        '2',
        '--rdzv-endpoint',
        `127.0.0.1:${port}`,
        '--rdzv-conf',
        conf,
        '--max-restarts',
        `${restarts}`,
        ...train,
      ],
      inside,
      { STEP_MS: '20', ...env },
    );

  it('goes on with the last checkpoint when a rank fails, to the same bytes', async () => {
    const inside = path.join(folder, 'restarted');
    const port = await freePort();
    const nodes = [node(port, 1, inside, { FAULT: 'SIGKILL@9:1' }), node(port, 1, inside, { FAULT: 'SIGKILL@9:1' })];
    const ends = await Promise.all(nodes.map(finished));
    const printed = ends.map(({ stderr }) => stderr).join('');
    expect(
      ends.map(({ status }) => status),
      printed,
    ).to.deep.equal([0, 0]);
    expect(printed).to.include(`Started again: going on with ${onlyRun(inside, 'faulty')}`);
    expect(weightsOf(inside) === weights).to.equal(true);
  });

  for (const lost of [0, 1]) {
    it(`goes on when node ${lost} is lost and another one comes in its place, to the same bytes`, async () => {
      const inside = path.join(folder, `lost-${lost}`);
      const port = await freePort();
      const nodes = [node(port, 0, inside)];
      await new Promise((resolve) => setTimeout(resolve, 700));
      nodes.push(node(port, 0, inside));
      const ends = nodes.map(finished);
      await until(() => runFolders(inside, 'faulty').some((run) => existsSync(path.join(run, 'last.safetensors'))));
      nodes[lost]!.kill('SIGKILL');
      await ends[lost];
      const replacement = await run('aiforge-launch', [...nodes[1 - lost]!.spawnargs.slice(2)], inside, {
        STEP_MS: '20',
      });
      const survivor = await ends[1 - lost]!;
      const printed = survivor.stderr + replacement.stderr;
      expect([survivor.status, replacement.status], printed).to.deep.equal([0, 0]);
      expect(printed).to.include('Started again: going on with');
      expect(weightsOf(inside) === weights).to.equal(true);
    });
  }
});
