import { existsSync } from 'node:fs';
import path from 'node:path';

import type { ExperimentConfig } from '../config/experimentConfig.js';
import { loadExperimentConfig } from '../config/load.js';
import { Container } from '../core/container.js';
import { orchestrator, orchestratorOptions } from '../core/orchestrator.js';
import type { RunResult } from '../core/callback.js';
import { joinRanks } from '../distributed/ranks.js';
import { logger } from '../log.js';
import { Progress } from './progress.js';
import { report } from './report.js';

const exitStatus = { SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof exitStatus;

/** Aborts at the first signal, so that a checkpoint can be written; the second one ends the process at once. */
function stopOnSignals(): { signal: AbortSignal; received: () => StopSignal | undefined } {
  const controller = new AbortController();
  let received: StopSignal | undefined;
  for (const name of Object.keys(exitStatus) as StopSignal[]) {
    process.on(name, () => {
      if (received !== undefined) process.exit(exitStatus[name]);
      received = name;
      controller.abort(name);
    });
  }
  return { signal: controller.signal, received: () => received };
}

/** The launcher names the ranks; the configuration that is recorded says so. */
function withRanks(config: ExperimentConfig, worldSize: number): ExperimentConfig {
  const localRank = Number(process.env.LOCAL_RANK ?? 0);
  return { ...config, training: { ...config.training, useDistributed: true, localRank, worldSize } };
}

function nextTry(configFile: string, result: RunResult): string {
  const example = path.join('examples', 'http-service', 'server.mjs');
  return existsSync(example) && path.basename(configFile) === 'spam.yaml'
    ? `node ${example} ${path.relative(process.cwd(), result.runDirectory)}   (serves /classify)`
    : `npx aiforge train ${configFile} training.learningRate=0.0005`;
}

/** `aiforge train`: runs an experiment and prints how it goes; resolves to the exit status. */
export async function train(configFile: string, overrides: readonly string[]): Promise<number> {
  const stop = stopOnSignals();
  let config = loadExperimentConfig(configFile, overrides);
  const joined = await joinRanks();
  try {
    if (joined !== undefined) config = withRanks(config, joined.ranks.worldSize);
    const isFirst = (joined?.ranks.rank ?? 0) === 0;
    if (!process.env.LOG_LEVEL) logger.level = 'warn';
    const progress = isFirst ? new Progress() : undefined;
    const container = new Container();
    container.experimentConfig.override(config);
    container.provide(orchestratorOptions, () => ({
      from: path.dirname(path.resolve(configFile)),
      ranks: joined?.ranks,
      signal: stop.signal,
      callbacks: progress === undefined ? [] : [progress],
    }));
    const result = await container.get(orchestrator).runExperiment();
    progress?.stop();
    if (isFirst) process.stdout.write(`${report(result, configFile, nextTry(configFile, result))}\n`);
    return result.status === 'finished' ? 0 : exitStatus[stop.received() ?? 'SIGINT'];
  } finally {
    await joined?.leave();
  }
}
