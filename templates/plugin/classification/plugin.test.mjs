// Trains the plugin on one batch and asks the model that comes of it. Run it with: node --test test/__name__.test.mjs
// @ts-check
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import {
  Container,
  loadExperimentConfig,
  loadPlugin,
  loadRun,
  orchestrator,
  orchestratorOptions,
  readSettings,
} from 'aiforge';

const project = path.join(import.meta.dirname, '..');
const experiment = path.join(project, 'experiments', '__name__.yaml');

test('__name__ has its parts', () => {
  const plugin = loadPlugin('./plugins/__name__', { from: project });
  for (const part of /** @type {const} */ (['Model', 'Dataset', 'Preprocessor', 'Config'])) {
    assert.ok(plugin[part], `${part} is missing`);
  }
});

test('__name__ trains, validates, tests and answers', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), '__name__-'));
  try {
    // One epoch of one batch; its data and its run lie in a folder of their own.
    const config = loadExperimentConfig(experiment, ['training.fastDevRun=true']);
    const settings = readSettings({ ...process.env, DATA_DIR: folder, RUNS_DIR: path.join(folder, 'runs') });
    const container = new Container();
    container.experimentConfig.override(config);
    container.provide(orchestratorOptions, () => ({ from: path.dirname(experiment), settings }));
    const result = await container.get(orchestrator).runExperiment();
    assert.equal(result.status, 'finished');
    assert.ok(Number.isFinite(result.test?.loss), 'the loss of the test is a number');

    const run = loadRun(result.runDirectory);
    const answers = run.classify([{ features: [0, 0] }, { features: [3, -3] }]);
    // A probability for each of the three classes.
    for (const { probabilities } of answers) assert.equal(probabilities.length, 3);
  } finally {
    await rm(folder, { recursive: true });
  }
});
