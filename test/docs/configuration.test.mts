import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { ExperimentConfig, loadExperimentConfig, TrainingConfig, type RunResult } from 'aiforge';
import { expect } from 'chai';

import { Settings } from '#lib/config/settings.js';
import { loadModule } from '#lib/modules/loadModule.js';

import { DocumentedProject } from './project.mjs';

const page = path.resolve('docs/configuration.md');
const { documentedPage } = (await import(pathToFileURL('scripts/document-configuration.mjs').href)) as {
  documentedPage: (name: string) => Promise<string>;
};

describe('docs/configuration.md', () => {
  const text = readFileSync(page, 'utf8');

  it('has the tables that the schemas and the types give', async () => {
    expect(text).to.equal(await documentedPage('configuration'));
  });

  it('has every setting, described', () => {
    const settings = [
      ...Object.keys(ExperimentConfig.shape).filter((name) => name !== 'training'),
      ...Object.keys(TrainingConfig.shape)
        .filter((name) => name !== 'checkpoint' && name !== 'ddp')
        .map((name) => `training.${name}`),
      ...Object.keys(TrainingConfig.parse({}).checkpoint).map((name) => `training.checkpoint.${name}`),
      ...Object.keys(TrainingConfig.parse({}).ddp).map((name) => `training.ddp.${name}`),
      ...Object.keys(Settings.shape),
    ];
    for (const name of settings) {
      const row = text.split('\n').find((line) => line.startsWith(`| \`${name}\` `));
      expect(row, name).to.match(/\| [^|]*\w{3}[^|]* +\|$/);
    }
  });

  it('leaves no field of a table without a word', () => {
    const empty = text.split('\n').filter((line) => /^\|.*\|\s*\|$/.test(line));
    expect(empty).to.deep.equal([]);
  });

  it('links to files that exist', () => {
    for (const [, target] of text.matchAll(/\]\(((?!http)[^)#]+)(#[^)]*)?\)/g)) {
      expect(existsSync(path.join('docs', target!)), target).to.equal(true);
    }
  });

  describe('its snippets', () => {
    const project = new DocumentedProject(page, 'configured');
    before(() => project.enter());
    after(() => project.leave());

    it('type-check', () => project.typeCheck()).timeout(120_000);

    it('are two forms of one experiment', () => {
      const [yaml, module] = ['yaml', 'ts'].map((kind) => loadExperimentConfig(`experiments/points.${kind}`));
      expect(yaml!.experimentName).to.equal(module!.experimentName);
      expect(module!.training.scheduler).to.include({ name: 'OneCycleLR', interval: 'step' });
    });

    const expected: [part: string, printed: string | RegExp][] = [
      [' train ', 'Held-out test'],
      [' show ', /^ {2}dropout: 0 +default of simple_nn$/m],
      [' check ', 'nothing is refused'],
      [' > ', /^$/],
      [' schema ', '"hiddenDims": {'],
    ];
    for (const command of project.commands) {
      it(command, () => {
        const [, printed] = expected.find(([part]) => command.includes(part))!;
        expect(project.run(command)).to.match(typeof printed === 'string' ? new RegExp(printed) : printed);
      }).timeout(120_000);
    }

    it('show what the page shows of them', () => {
      const shown = /^```text\n([\s\S]*?)^```$/m.exec(text)![1]!.trim().split('\n');
      const printed = project.run('npx aiforge config show experiments/short.yaml training.epochs=1').split('\n');
      const spaced = (line: string) => line.replace(/ {2,}(?=[^ ])/g, '  ');
      expect(printed.map(spaced)).to.include.members(shown.map(spaced));
    });

    it('build on each other, and are what the schema takes', () => {
      const { training, model } = loadExperimentConfig(['experiments/short.yaml', 'experiments/local.yaml']);
      expect(training).to.include({ epochs: 1, batchSize: 64 });
      expect(model).to.deep.equal({ inputDim: 10, hiddenDims: [8], outputDim: 2 });
      expect(loadExperimentConfig('experiments/edited.yaml').training.epochs).to.equal(1);
      const file = path.join(
        'experiments',
        /\$schema=(\S+)/.exec(readFileSync('experiments/edited.yaml', 'utf8'))![1]!,
      );
      expect(JSON.parse(readFileSync(file, 'utf8'))).to.have.nested.property('properties.model.properties.hiddenDims');
    });

    it('train from code, and listen', async () => {
      const { train } = loadModule(path.resolve('train.ts')) as {
        train: (signal: AbortSignal) => Promise<{ result: RunResult; seen: string[] }>;
      };
      const { result, seen } = await train(new AbortController().signal);
      expect(result.status).to.equal('finished');
      expect(result.runDirectory).to.include(path.join('runs', 'from-code'));
      expect(seen).to.deep.equal(['210 parameters', 'epoch 1 of 1']);
    }).timeout(120_000);
  });
});
