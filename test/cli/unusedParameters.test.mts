import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { loadSafetensors } from 'aiforge';
import { expect } from 'chai';

import { run, temporaryFolder } from '../support/project.mjs';
import { onlyRun } from '../support/runFolder.mjs';

describe('a model of which a step on two ranks leaves parameters out', function () {
  this.timeout(60_000);
  const folder = temporaryFolder('unused-parameters');
  const two = ['--nproc', '2', 'train', path.resolve('test/cli/fixtures/experiments/branches.yaml')];

  it('is refused, with their names and the setting that lets it', async () => {
    const { status, stderr } = await run('aiforge-launch', two, folder);
    expect(status, stderr).to.equal(1);
    expect(stderr).to.match(
      /no gradient on this rank to 'branches\.[01]\.weight', 'branches\.[01]\.bias', 'spare\.weight', 'spare\.bias'\. The forward pass did not use 'branches\.[01]\.weight', 'branches\.[01]\.bias'; it used 'spare\.weight'/,
    );
    expect(stderr).to.include('Set training.findUnusedParameters=true').and.not.include('{ findUnusedParameters');
  });

  for (const [name, overrides, env] of [
    ['', [], {}],
    [', in windows of several batches', ['training.accumulationSteps=2'], {}],
    [', of which one counts nothing on one rank', [], { EMPTY: '4:1' }],
  ] as const) {
    it(`trains with training.findUnusedParameters${name}, with the same values on both`, async () => {
      const inside = path.join(folder, `searched${name}`);
      mkdirSync(inside, { recursive: true });
      const seenFile = path.join(inside, 'seen.jsonl');
      const args = [...two, 'training.findUnusedParameters=true', ...overrides];
      const { status, stderr } = await run('aiforge-launch', args, inside, { SEEN_FILE: seenFile, ...env });
      expect(status, stderr).to.equal(0);
      const directory = onlyRun(inside, 'branches');
      expect(readFileSync(path.join(directory, 'config.yaml'), 'utf8')).to.include('findUnusedParameters: true');
      const seen = readFileSync(seenFile, 'utf8').trim().split('\n');
      // Every state that one rank validated, the other did too.
      for (const values of new Set(seen)) expect(seen.filter((other) => other === values).length).to.be.greaterThan(1);
      const [initial] = seen.map((line) => JSON.parse(line) as unknown[]);
      const { tensors } = loadSafetensors(path.join(directory, 'last.safetensors'));
      const names = ['branches.0', 'branches.1', 'spare'].flatMap((part) => [`${part}.weight`, `${part}.bias`]);
      const changed = names.map(
        (each, i) => JSON.stringify(tensors[`model.${each}`]!.tolist()) !== JSON.stringify(initial![i]),
      );
      expect(changed).to.deep.equal([true, true, true, true, false, false]);
    });
  }

  it('goes on exactly in a window whose first batch alone used some of them', async () => {
    const [inside, undisturbed] = [path.join(folder, 'stopped'), path.join(folder, 'undisturbed')];
    const windows = [...two, 'training.findUnusedParameters=true', 'training.accumulationSteps=4'];
    const stopped = await run('aiforge-launch', windows, inside, { STOP: '1:1' });
    expect(stopped.status, stopped.stderr).to.equal(143);
    const { tensors } = loadSafetensors(path.join(onlyRun(inside, 'branches'), 'last.safetensors'));
    expect(Object.keys(tensors)).to.include('gradients.1.branches.1.weight');
    const resume = ['--nproc', '2', 'train', '--resume', onlyRun(inside, 'branches')];
    for (const [args, where] of [
      [resume, inside],
      [windows, undisturbed],
    ] as const) {
      const { status, stderr } = await run('aiforge-launch', args, where);
      expect(status, stderr).to.equal(0);
    }
    const [one, other] = [inside, undisturbed].map((where) =>
      readFileSync(path.join(onlyRun(where, 'branches'), 'last.safetensors'), 'base64'),
    );
    expect(one === other).to.equal(true);
  });
});
