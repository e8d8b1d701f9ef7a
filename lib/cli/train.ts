import { existsSync } from 'node:fs';
import path from 'node:path';

import type { ExperimentConfig } from '../config/experimentConfig.js';
import { loadExperimentConfig } from '../config/load.js';
import { isResumeWord, resumeWords } from '../config/paths.js';
import { placed } from '../config/source.js';
import { checkpointFile } from '../core/checkpoints/checkpoint.js';
import { Container } from '../core/container.js';
import { deviceOf } from '../core/devices.js';
import { orchestrator, orchestratorOptions, type Orchestrator } from '../core/orchestrator.js';
import type { RunResult, RunStart } from '../core/callbacks/callback.js';
import { singleProcess } from '../core/ranks.js';
import { runDirectoryOf, runFiles } from '../core/runs/runDirectory.js';
import { untilAborted } from '../core/untilAborted.js';
import { recordRankError } from '../distributed/launch/errorFile.js';
import { joinRanks } from '../distributed/ranks.js';
import { AiforgeError } from '../errors.js';
import { logger } from '../log.js';
import { didYouMean } from '../nearest.js';
import { divideArguments, pluginsFrom } from './config/arguments.js';
import { Progress } from './progress.js';
import { noteRun, runToGoOnWith } from './restarts.js';
import { quoted, report, trainCommand } from './report.js';
import { listenToSignals, statusAfter, statusOfStop } from './stopSignals.js';

function nextTry(files: readonly string[], result: RunResult, { training }: ExperimentConfig): string {
  const example = path.join('examples', 'http-service', 'server.mjs');
  return existsSync(example) && path.basename(files[0]!) === 'spam.yaml'
    ? `node ${example} ${path.relative(process.cwd(), result.runDirectory)}   (serves /classify)`
    : `${trainCommand(result.worldSize)} ${files.map(quoted).join(' ')} training.learningRate=${training.learningRate / 2}`;
}

/** The configuration of a run that is named by its folder, or by a checkpoint in it. */
function configOf(resume: string): string {
  const example = 'Give the folder of a run, such as runs/spam/2026-01-31_12-00-00, or a checkpoint in it.';
  if (isResumeWord(resume)) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `--resume ${resume} means the newest run of an experiment: give its configuration file too, such as experiments/spam.yaml. ${example}${existsSync(resume) ? ` The ${resume} in the working directory is written ./${resume}.` : ''}`,
    );
  }
  if (resume === '' || !existsSync(resume)) {
    const words = `${didYouMean(resume, resumeWords)} ${example} With a configuration file, ${resumeWords.join(', ')} are the newest run of its experiment.`;
    throw new AiforgeError('FILE_NOT_FOUND', `--resume: there is no run '${resume}'.${words}`);
  }
  const checkpoint = checkpointFile(resume);
  if (!checkpoint.endsWith('.safetensors')) {
    throw new AiforgeError('FILE_INVALID', `--resume: '${resume}' is no run and no checkpoint. ${example}`);
  }
  const { config } = runFiles(runDirectoryOf(path.resolve(checkpoint)));
  if (existsSync(config) && existsSync(checkpoint)) return config;
  const missing = path.basename(existsSync(config) ? checkpoint : config);
  throw new AiforgeError(
    'FILE_NOT_FOUND',
    `--resume: '${resume}' is no run that can go on: there is no ${missing}. ${example}`,
  );
}

/** The configuration of a command: that of files, or of the run to resume, with overrides. */
function configuration(
  given: readonly string[],
  resume: string | undefined,
): { files: string[]; config: ExperimentConfig } {
  const { files, overrides } = divideArguments(given);
  const resumes = resume === undefined ? [] : [`training.resumeFrom=${resume}`];
  if (files.length === 0 && resume !== undefined) files.push(configOf(resume));
  if (files.length > 0) return { files, config: loadExperimentConfig(files, [...overrides, ...resumes]) };
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    'aiforge train needs a configuration file, such as experiments/spam.yaml, or --resume with the folder of a run.',
  );
}

/** `aiforge train`: runs an experiment and prints how it goes; resolves to the exit status. */
export async function train(given: readonly string[], resume: string | undefined): Promise<number> {
  let running: Orchestrator | undefined;
  const signal = listenToSignals(() => running?.requestCheckpoint());
  const restarted = runToGoOnWith();
  const { files, config } = configuration(given, restarted ?? resume);
  try {
    const device = placed(config, () => deviceOf(config.training.device));
    const joined = await untilAborted(signal, 'it started', joinRanks({ device }));
    const ranks = joined?.ranks ?? singleProcess;
    const isFirst = ranks.rank === 0;
    if (isFirst && restarted !== undefined) process.stderr.write(`Started again: going on with ${restarted}\n`);
    if (!process.env.LOG_LEVEL) logger.level = 'warn';
    const progress = isFirst ? new Progress() : undefined;
    const container = new Container();
    container.experimentConfig.override(config);
    container.provide(orchestratorOptions, () => ({
      from: pluginsFrom(files),
      ranks,
      signal,
      callbacks: progress === undefined ? [] : [progress, { onRunStart: begun(config) }],
    }));
    running = container.get(orchestrator);
    const result = await running.runExperiment();
    progress?.stop();
    const out = signal.reason === 'SIGPIPE' ? process.stderr : process.stdout;
    if (isFirst) out.write(`${report(result, nextTry(files, result, config))}\n`);
    // Not after an error: it may wait for ranks that wait for this one.
    await joined?.leave();
    if (result.status === 'finished') return 0;
    if (!signal.aborted) recordRankError(stoppedWithAnother(result));
    return statusAfter(result.interruptedBy);
  } catch (error) {
    return statusOfStop(error, signal);
  }
}

/** Notes the run for a launcher, and says which one it is where a word was to find it. */
function begun({ training }: ExperimentConfig): (run: RunStart) => void {
  return ({ config, runDirectory }) => {
    noteRun(runDirectory);
    if (!isResumeWord(training.resumeFrom)) return;
    const { resumeFrom } = config.training;
    const shown = path.relative(process.cwd(), resumeFrom ?? runDirectory);
    process.stderr.write(
      resumeFrom === null
        ? `No run of '${config.experimentName}' is to be gone on with: this is a new one, ${shown}\n`
        : `Going on from ${shown}\n`,
    );
  };
}

/** What the launcher is told of a rank that only followed the one that received a signal. */
function stoppedWithAnother({ interruptedBy }: RunResult): AiforgeError {
  return new AiforgeError('RUN_INTERRUPTED', `Another rank has ended by ${interruptedBy}, and this one with it.`);
}
