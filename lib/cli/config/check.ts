import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { ExperimentConfig } from '../../config/experimentConfig.js';
import { loadExperimentConfig } from '../../config/load.js';
import { isAddress, isPath } from '../../config/paths.js';
import { readSettings } from '../../config/settings.js';
import { placed } from '../../config/source.js';
import { deviceOf } from '../../core/devices.js';
import { loadPlugin } from '../../core/plugins/plugins.js';
import { singleProcess, type Ranks } from '../../core/ranks.js';
import { modelConfigOf } from '../../core/runs/experiment.js';
import { planRun } from '../../core/runs/plan.js';
import { withResumedHere } from '../../core/runs/resuming.js';
import { explain } from '../explain.js';
import { pluginsFrom, withFiles } from './arguments.js';

/** `aiforge config check`: says what training would refuse, as far as it is known without the data; gives the exit status. */
export function check(given: readonly string[]): number {
  const { files, overrides } = withFiles('config check', given);
  const problems: unknown[] = [];
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      problems.push(error);
      return undefined;
    }
  };
  const settings = attempt(() => readSettings());
  const config = attempt(() => loadExperimentConfig(files, overrides));
  const resumed = config && settings && attempt(() => withResumedHere(config, settings.RUNS_DIR));
  if (resumed !== undefined) checkParts(resumed, pluginsFrom(files), attempt);
  if (problems.length > 0) {
    process.stderr.write(`${problems.map((problem) => explain(problem)).join('\n')}\n`);
    return 1;
  }
  process.stdout.write(`${files.join(' + ')}: nothing is refused.${aboutData(config!, settings!.DATA_DIR)}\n`);
  return 0;
}

type Attempt = <T>(work: () => T) => T | undefined;

/** Each part for itself, so that as much as can be is said at once; then all that a run makes before its data. */
function checkParts(config: ExperimentConfig, from: string, attempt: Attempt): void {
  const model = attempt(() => loadPlugin(config.modelPlugin, { from, kind: 'model' }));
  const dataset = attempt(() => loadPlugin(config.datasetPlugin, { from, kind: 'dataset' }));
  const modelConfig = model && attempt(() => modelConfigOf(model, config));
  attempt(() => placed(config, () => deviceOf(config.training.device)));
  if (dataset !== undefined && modelConfig !== undefined) attempt(() => planRun(config, from, ranksOf(config), 'cpu'));
}

/** The ranks that the configuration is for: the launcher is not here, and no device either. */
function ranksOf({ training }: ExperimentConfig): Ranks {
  return { ...singleProcess, worldSize: Math.max(training.worldSize, training.useDistributed ? 2 : 1) };
}

/** A data set that is not there is no mistake: a plugin may make it. */
function aboutData({ dataPath }: ExperimentConfig, dataDir: string): string {
  if (isAddress(dataPath)) return '';
  const file = isPath(dataPath) ? dataPath : resolve(join(dataDir, dataPath));
  return existsSync(file) ? '' : ` There is no ${file} yet: the data set's loadData has to make it.`;
}
