import type { Command } from 'commander';

import { fold } from '../../nearest.js';

type Hints = Readonly<Record<string, string>>;

function each(names: readonly string[], hint: string): Hints {
  return Object.fromEntries(names.map((name) => [name, hint]));
}

const checkpoints = ['ckpt', 'ckptpath', 'checkpoint', 'checkpointpath'];
/** Torchrun's, Lightning's and accelerate's. */
const ofLaunch = (command: string): Hints =>
  each(
    [
      'devices',
      'gpus',
      'numdevices',
      'nproc',
      'nprocpernode',
      'numprocesses',
      'numgpus',
      'ngpus',
      'worldsize',
      'nnodes',
      'numnodes',
    ],
    `Several processes are started with aiforge-launch --nproc <n> ${command} …`,
  );
const ofRun: Hints = {
  ...each(
    [...checkpoints, 'model', 'modelpath', 'weightspath'],
    'Weights and checkpoints are given as --weights <file>',
  ),
  ...each(['device', 'accelerator', 'gpu', 'cuda', 'cpu'], 'A setting is given as training.device=…'),
};
const ofEvaluation: Hints = { ...ofRun, batchsize: 'A setting is given as training.batchSize=…' };

/** What users of other tools call options, by the command, as `fold` leaves the names, and what there is instead. */
const foreign: Readonly<Record<string, Hints>> = {
  train: {
    ...each(checkpoints, 'A run goes on with --resume <run>, which takes a checkpoint too'),
    ...ofLaunch('train'),
  },
  validate: { ...ofEvaluation, ...ofLaunch('validate') },
  test: { ...ofEvaluation, ...ofLaunch('test') },
  predict: {
    ...ofRun,
    ...each(['devices', 'gpus'], 'A setting is given as training.device=…'),
    ...each(['format', 'outputformat'], 'The format is that of the extension of --output: .jsonl, .csv or .parquet'),
    ...each(
      ['onerror', 'ignoreerrors', 'continueonerror', 'keepgoing'],
      'Items that are refused are skipped with --skip-errors',
    ),
    ...each(['proba', 'probabilities', 'probability', 'predictproba'], 'Probabilities are given with --classify'),
    ...each(['overwrite', 'force'], 'The file of --output is replaced when the new one is whole, without an option'),
  },
  sweep: {
    ...each(['workers', 'numworkers', 'jobs', 'njobs', 'concurrency'], 'Trials at a time are --parallel <n>, or parallel in the file'), // prettier-ignore
    ...each(['ntrials', 'numtrials', 'numsamples', 'maxtrials', 'trials'], 'How many trials are drawn is trials in the file'), // prettier-ignore
  },
  'aiforge-launch': {
    ...each(
      ['numprocesses', 'nprocs', 'np', 'n', 'devices', 'gpus', 'numdevices', 'numgpus', 'ngpus'],
      'Ranks to start on this node are --nproc <n>',
    ),
    ...each(
      ['worldsize'],
      'Ranks to start on each node are --nproc <n>, and nodes --nnodes <n>: there are as many ranks as both multiplied',
    ),
    ...each(['numnodes', 'nummachines'], 'Nodes that take part are --nnodes <n>'),
    ...each(['machinerank'], 'Which of the nodes this is, is --node-rank <n>'),
    ...each(['mainprocessip'], 'Where rank 0 listens is --master-addr <host>'),
    ...each(['mainprocessport'], 'The port rank 0 listens on is --master-port <port>'),
    ...each(['graceseconds'], 'How long a rank that is to stop has is --shutdown-timeout <s>'),
    ...each(
      ['signalstohandle'],
      'SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 are all passed on, without an option',
    ),
    ...each(['runpath'], 'Python runs with --no-node python script.py'),
    ...each(['startmethod'], 'Every rank is a process of its own, started anew'),
    ...each(
      ['eventloghandler', 'logsspecs'],
      'What happens is written on stderr, and what ranks print to --log-dir <dir>',
    ),
    ...each(
      ['duplicatestdoutfilters', 'duplicatestderrfilters'],
      'Streams are written to files with --tee or --redirects; filter those',
    ),
    ...each(['numabinding'], 'Ranks are bound with --no-node numactl … node script.js'),
    ...each(['virtuallocalrank'], 'A rank finds its GPU by LOCAL_RANK, which initProcessGroup reads'),
    ...each(['hostfile', 'hosts', 'host'], 'Start aiforge-launch on each node, with --rdzv-endpoint <host:port>'),
  },
};

/** Has a command, and all within it, say what there is in place of an option of another tool. */
export function hintForeignOptions(command: Command): void {
  const hints = Object.hasOwn(foreign, command.name()) ? foreign[command.name()]! : {};
  const before = command.configureOutput();
  command.configureOutput({
    outputError: (text, write) => {
      const [, option] = /^error: unknown option '--?(?:[\w-]+\.)*([\w-]+)/.exec(text) ?? [];
      const folded = fold(option ?? '');
      // What commander finds similar is not what is meant.
      if (Object.hasOwn(hints, folded)) write(`${text.split('\n', 1)[0]}\n(${hints[folded]})\n`);
      else before.outputError?.(text, write);
    },
  });
  command.commands.forEach(hintForeignOptions);
}
