#!/usr/bin/env node
import '../userSignals.js';

import { Command } from 'commander';
import pc from 'picocolors';

import { packageManifest } from '../modules/loadModule.js';
import { recordRankError } from '../distributed/launch/errorFile.js';
import { addCheckpoints } from './commands/checkpoints.js';
import type { AddCommand } from './commands/command.js';
import { addConfig } from './commands/config.js';
import { addData } from './commands/data.js';
import { addDoctor } from './commands/doctor.js';
import { addEvaluate } from './commands/evaluate.js';
import { hintForeignOptions } from './commands/foreignOptions.js';
import { addNew } from './commands/newPlugin.js';
import { addPlugins } from './commands/plugins.js';
import { addPredict } from './commands/predict.js';
import { refuseRepeated } from './commands/repeatedOptions.js';
import { addRuns } from './commands/runs.js';
import { addSetup } from './commands/setup.js';
import { addSweep } from './commands/sweep.js';
import { addTrain } from './commands/train.js';
import { addTune } from './commands/tune.js';
import { explain } from './explain.js';
import { endAsTold } from './hangUp.js';

const examples = `
Examples:
  aiforge train experiments/spam.yaml
  aiforge train experiments/spam.yaml training.epochs=2
  aiforge train --resume runs/spam/2026-01-31_12-00-00
  aiforge test runs/spam/2026-01-31_12-00-00
  aiforge predict RUN --input new.jsonl --output out.csv
  aiforge config show experiments/spam.yaml
  aiforge checkpoints ls runs/spam/2026-01-31_12-00-00
  aiforge data pack shards/ flights.parquet
  aiforge-launch --nproc 2 train experiments/spam.yaml
  aiforge sweep sweep.yaml
  aiforge new plugin my_plugin --kind text
  aiforge plugins ls
  aiforge runs ls
  aiforge runs show spam/2026-01-31_12-00-00
  aiforge tune lr experiments/spam.yaml
  aiforge setup
  aiforge doctor`;

const commands: AddCommand[] = [
  addTrain,
  addEvaluate,
  addPredict,
  addConfig,
  addCheckpoints,
  addData,
  addRuns,
  addSweep,
  addTune,
  addNew,
  addPlugins,
  addSetup,
  addDoctor,
];

/** Of a configuration that stands where a command does. */
function hintOfConfiguration(text: string): string {
  const [, file] = /^error: unknown command '(.+\.(?:ya?ml|json|[cm]?[jt]s))'/.exec(text) ?? [];
  return file === undefined ? '' : `(An experiment is run with aiforge train ${file})\n`;
}

function buildProgram(finish: (status: number) => void): Command {
  const program = new Command('aiforge')
    .description("Trains models of plugins on PyTorch's engine.")
    .version(packageManifest().version)
    .configureHelp({ subcommandTerm: (command) => command.name(), minWidthToWrap: 12 })
    .configureOutput({ outputError: (text, write) => write(text + hintOfConfiguration(text)) })
    .showHelpAfterError('(see aiforge --help)')
    .addHelpText('after', examples);
  for (const add of commands) add(program, finish);
  refuseRepeated(program);
  hintForeignOptions(program);
  return program;
}

// What cannot be printed, as where the disk is full, is no reason to end the work.
process.stdout.on('error', () => undefined);

async function main(): Promise<void> {
  let status = 0;
  try {
    await buildProgram((value) => (status = value)).parseAsync();
  } catch (error) {
    const isLeft = recordRankError(error, explain(error, pc.createColors(false)));
    if (!isLeft) process.stderr.write(`${explain(error)}\n`);
    status = 1;
  }
  endAsTold(status);
  // A process group may still hold the event loop.
  process.exit(status);
}

void main();
