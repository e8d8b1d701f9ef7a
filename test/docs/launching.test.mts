import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { expect } from 'chai';
import { parse } from 'yaml';

import { buildLaunchCommand } from '#lib/cli/launchOptions.js';

import { DocumentedProject } from './project.mjs';

const { documentedPage } = (await import(pathToFileURL('scripts/document-configuration.mjs').href)) as {
  documentedPage: (name: string) => Promise<string>;
};

/** Every snippet of docs/launching.md, in a project of its own, run as written. */
describe('docs/launching.md', function () {
  this.timeout(120_000);
  const page = path.resolve('docs/launching.md');
  const text = readFileSync(page, 'utf8');
  const project = new DocumentedProject(page, 'launching');
  const cli = path.join(project.root, 'dist/lib/cli/aiforge-launch.js');
  before(() => {
    project.enter();
    mkdirSync('node_modules');
    symlinkSync(project.root, 'node_modules/aiforge');
  });
  after(() => project.leave());

  it('has the tables that the types give', async () => {
    expect(text).to.equal(await documentedPage('launching'));
  });

  it('speaks of every option but those of one node that the help has', () => {
    const names = buildLaunchCommand()
      .options.map(({ long }) => long!)
      .filter((name) => name !== '--monitor-interval' && name !== '--standalone' && name !== '--module');
    for (const name of names) expect(text, name).to.include(name);
  });

  it('type-checks', () => project.typeCheck());

  const expected: [part: string, printed: RegExp][] = [
    ['-- sh', /^rank 0 of 2$/m],
    ['--redirects', /^(?!.*ranks)/],
    ['once.mjs', /^\[rank 1\] done$/m],
    ['two-nodes.mjs', /^\[rank 0\] 3 ranks, sum 6$/m],
    ['sum.mjs', /^\[rank 0\] 2 ranks, sum 3$/m],
  ];
  for (const command of project.commands) {
    it(command, () => {
      const [, printed] = expected.find(([part]) => command.includes(part))!;
      const run = command.replace('npx aiforge-launch', (found) =>
        command.startsWith('npx') ? found : `'${process.execPath}' '${cli}'`,
      );
      expect(project.run(run)).to.match(printed);
    });
  }

  it('has written the files that it speaks of', () => {
    const names = ['rank-0.log', 'rank-1.log', 'rank-0.stdout.log', 'rank-0.stderr.log', 'rank-1.stderr.log'];
    for (const name of names) expect(existsSync(path.join('logs', name)), name).to.equal(true);
    expect(readFileSync('logs/rank-0.stdout.log', 'utf8')).to.equal('2 ranks, sum 3\n');
  });

  it("starts Slurm's job, with a stand-in for srun that starts a task for each node", async () => {
    execFileSync('bash', ['-n', 'job.sh']);
    writeFileSync('scontrol', '#!/bin/sh\necho localhost\n', { mode: 0o755 });
    writeFileSync('npx', `#!/bin/sh\nshift\nexec '${process.execPath}' '${cli}' "$@"\n`, { mode: 0o755 });
    writeFileSync('srun', '#!/bin/sh\nfor SLURM_PROCID in 0 1; do SLURM_PROCID=$SLURM_PROCID SLURM_NTASKS=2 SLURM_STEP_ID=0 SLURM_NODEID=$SLURM_PROCID "$@" & done\nwait\n', { mode: 0o755 }); // prettier-ignore
    const env = {
      ...process.env,
      PATH: `.:${process.env.PATH}`,
      SLURM_NNODES: '2',
      SLURM_JOB_NODELIST: 'localhost',
      SLURM_JOB_ID: '7',
    };
    const printed = execFileSync('bash', ['job.sh'], { env, encoding: 'utf8' });
    expect(printed).to.match(/^\[rank 0\] 4 ranks, sum 10$/m);
  });

  it("starts the pods of Kubernetes' job by their variables", async () => {
    const { trainer } = (
      parse(readFileSync('trainjob.yaml', 'utf8')) as {
        spec: { trainer: { command: string[]; numNodes: number; numProcPerNode: number } };
      }
    ).spec;
    const pods = Array.from({ length: trainer.numNodes }, (_, rank) => {
      const variables = {
        PET_NNODES: `${trainer.numNodes}`,
        PET_NPROC_PER_NODE: `${trainer.numProcPerNode}`,
        PET_NODE_RANK: `${rank}`,
        PET_MASTER_ADDR: '127.0.0.1',
        PET_MASTER_PORT: '29547',
      };
      return spawn(process.execPath, [cli, ...trainer.command.slice(2)], {
        env: { ...process.env, ...variables },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
    });
    const [first] = await Promise.all(
      pods.map(async (pod) => {
        let output = '';
        pod.stdout.on('data', (chunk) => (output += String(chunk)));
        const [status] = (await once(pod, 'close')) as [number];
        expect(status).to.equal(0);
        return output;
      }),
    );
    expect(first).to.equal('[rank 0] 4 ranks, sum 10\n');
  });

  it('launches from code', () => {
    const load = JSON.stringify(path.join(project.root, 'dist/lib/modules/loadModule.js'));
    writeFileSync(
      'three.cjs',
      `require(${load}).loadModule(${JSON.stringify(path.resolve('launch.ts'))}).sumOfThree().then((status) => process.exit(status));`,
    );
    expect(execFileSync(process.execPath, ['three.cjs'], { encoding: 'utf8' })).to.equal('[rank 0] 3 ranks, sum 6\n');
  });
});
