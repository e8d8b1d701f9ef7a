import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { DocumentedProject } from './project.mjs';

/** Every snippet of docs/profiling.md, in a folder with the smallest experiment as experiment.yaml. */
describe('docs/profiling.md', function () {
  this.timeout(120_000);
  const text = readFileSync('docs/profiling.md', 'utf8');
  const root = process.cwd();
  const project = new DocumentedProject('docs/profiling.md', 'profiling');

  before(() => {
    const experiment = readFileSync('experiments/simple_nn.yaml', 'utf8');
    project.enter();
    writeFileSync('experiment.yaml', experiment);
  });
  after(() => project.leave());

  const scripts = [...text.matchAll(/```js\n([\s\S]*?)```(?:\n\n```text\n([\s\S]*?)```)?/g)];
  scripts.forEach(([, code, expected], i) => {
    it(`script ${i + 1} runs, and prints what it says`, () => {
      // Where the package itself is found by its name; files are written into the project.
      const file = path.join(root, 'build', 'examples', `profiling-${i + 1}.mjs`);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, code!);
      const env = { ...process.env, OMP_NUM_THREADS: '1', NO_COLOR: '1' };
      const printed = execFileSync(process.execPath, [file], { encoding: 'utf8', env });
      if (expected !== undefined) expect(printed).to.equal(expected);
      else expect(printed).to.not.equal('');
    });
  });

  it('shows what its scripts promise', () => {
    expect(scripts).to.have.length(5);
    expect(JSON.parse(readFileSync('trace.json', 'utf8'))).to.have.property('traceEvents');
  });

  it('has commands that work', () => {
    const [train, lr, batchSize] = project.commands.map((command) => project.run(command));
    expect(train).to.include('Held-out test');
    const [run] = readdirSync(path.join('runs', 'simple_nn'));
    const folder = path.join('runs', 'simple_nn', run!);
    expect(readFileSync(path.join(folder, 'profile.txt'), 'utf8')).to.match(/^Steps 4 to 5 .*FLOPs of a step: \d+/s);
    expect(existsSync(path.join(folder, 'profile-trace.json'))).to.equal(true);
    expect(lr).to.match(/Suggestion: training\.learningRate=/);
    expect(batchSize).to.match(/Suggestion: training\.batchSize=64/);
  });

  it('links to files that exist', () => {
    for (const [, target] of text.matchAll(/\]\(((?!http)[^)#]+)\)/g))
      expect(existsSync(path.join(root, 'docs', target!)), target).to.equal(true);
  });
});
