#!/usr/bin/env node
import '../userSignals.js';

import { Command, InvalidArgumentError } from 'commander';

import { launch } from '../distributed/launch.js';
import { rankCountKind, type RankCount } from '../distributed/launch/rankCount.js';
import { AiforgeError } from '../errors.js';
import { hintForeignOptions } from './commands/foreignOptions.js';
import { refuseRepeated } from './commands/repeatedOptions.js';
import { endAsTold } from './hangUp.js';

interface Flags {
  nproc?: number | RankCount;
  nnodes: number;
  nodeRank: number;
  masterAddr: string;
  masterPort: number;
  maxRestarts: number;
  logDir?: string;
  prefix: boolean;
  graceSeconds: number;
  node: boolean;
}

function numeral(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isNaN(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

function rankCount(text: string): number | RankCount {
  if (rankCountKind.accepts(text)) return text as RankCount;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isNaN(value)) throw new InvalidArgumentError(`It must be a number, ${rankCountKind.expected}.`);
  return value;
}

const notes = `
What is run in each rank:
  train ...            the subcommand of aiforge, unless there is a file of that name; so are fit, validate and test
  SCRIPT ...           Node.js with the script; .ts, .mts and .cts need no build
  --no-node CMD ...    the program CMD, as does -- CMD ...

OMP_NUM_THREADS, where it is unset and there is more than one rank, becomes the number of cores that affinity and CPU quota
leave, divided by the ranks (torchrun sets 1). Ctrl-C is passed on to the ranks, so that they can save their work; a second
one kills them. SIGUSR1 and SIGUSR2 are passed on as well; the ranks of train write a checkpoint and go on.

Examples:
  aiforge-launch --nproc 2 train experiments/spam.yaml training.epochs=2
  aiforge-launch --nproc gpu train experiments/spam.yaml
  aiforge-launch --nproc 2 test runs/spam/2026-01-31_12-00-00
  aiforge-launch --nproc 4 --log-dir logs train.js --lr 0.1
  aiforge-launch --nproc 2 -- python train.py`;

function buildProgram(): Command {
  const program = new Command('aiforge-launch')
    .description('Starts the ranks of a distributed program on this machine and supervises them.')
    .argument('<target>', 'a script, train, test or validate, or with --no-node a program')
    .argument('[args...]', 'what the target is given')
    .option(
      '--nproc <n>',
      'ranks to start on this machine: a number, gpu (one a GPU), cpu (one a core), or auto (gpu, else cpu); must be given',
      rankCount,
    )
    .option('--nnodes <n>', 'machines that take part', numeral, 1)
    .option('--node-rank <n>', 'which of the machines this is', numeral, 0)
    .option('--master-addr <address>', 'where rank 0 listens', '127.0.0.1')
    .option('--master-port <port>', 'the port rank 0 listens on; 0: a free one', numeral, 0)
    .option(
      '--max-restarts <n>',
      'how often all ranks are started again after a failure; train goes on with its last checkpoint',
      numeral,
      0,
    )
    .option('--log-dir <dir>', 'also write what each rank prints to a file of its own there')
    .option('--no-prefix', 'do not put "[rank N] " before each line')
    .option('--grace-seconds <s>', 'how long a rank that is to stop has until it is killed', numeral, 30)
    .option('--no-node', 'run the target as a program of its own')
    .configureHelp({ minWidthToWrap: 12 })
    .passThroughOptions()
    .showHelpAfterError('(see aiforge-launch --help)')
    .addHelpText('after', notes);
  refuseRepeated(program);
  hintForeignOptions(program);
  return program;
}

/** Whether `--` stands right before the target, which commander leaves out of what it gives back. */
function afterDoubleDash(argv: readonly string[], operands: readonly string[]): boolean {
  return argv[argv.length - operands.length - 1] === '--';
}

/** As after SIGPIPE. */
const unreadStatus = 141;

async function main(argv: readonly string[]): Promise<number> {
  const program: Command = buildProgram().parse(argv);
  const { node, nproc, ...flags } = program.opts<Flags>();
  // Not a required option: that would be missed before a misspelt one is noticed.
  if (nproc === undefined) program.error("error: required option '--nproc <n>' not specified");
  const [target = '', ...args] = program.args;
  const executable = !node || afterDoubleDash(argv, program.args);
  const { status } = await launch({ ...flags, nproc, target, args, executable });
  return status;
}

// Nobody reads any more, as after `| head`: stop as on request, once. What a full disk does not take is no reason to stop.
let isUnread = false;
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  if (code !== 'EPIPE' || isUnread) return;
  isUnread = true;
  process.stderr.write('aiforge-launch: nobody reads the output any more; stopping\n');
  process.kill(process.pid, 'SIGTERM');
});
process.stderr.on('error', () => undefined);

main(process.argv).then(
  (status) => {
    process.exitCode = isUnread ? unreadStatus : status;
    endAsTold(process.exitCode);
  },
  (error: unknown) => {
    const expected = error instanceof AiforgeError;
    console.error(expected ? `aiforge-launch: ${error.code}: ${error.message}` : error);
    process.exitCode = 1;
  },
);
