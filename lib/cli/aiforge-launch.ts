#!/usr/bin/env node
import '../userSignals.js';

import { Command } from 'commander';

import { launch } from '../distributed/launch.js';
import { AiforgeError } from '../errors.js';
import { hintForeignOptions } from './commands/foreignOptions.js';
import { refuseRepeated } from './commands/repeatedOptions.js';
import { endAsTold } from './hangUp.js';
import { addLaunchOptions, withDashes } from './launchOptions.js';
import { applySwitches, settleVariables, tellOfContradictions, tellOfOthers } from './launchVariables.js';

const notes = `
What is run in each rank:
  train ...            the subcommand of aiforge, unless there is a file of that name; so are fit, validate and test
  SCRIPT ...           Node.js with the script; .ts, .mts and .cts need no build
  --no-node CMD ...    the program CMD, as does -- CMD ...

OMP_NUM_THREADS, where it is unset and there is more than one rank, becomes the number of cores that affinity and CPU quota
leave, divided by the ranks (torchrun sets 1). Ctrl-C is passed on to the ranks, so that they can save their work; a second
one kills them. SIGUSR1 and SIGUSR2 are passed on as well; the ranks of train write a checkpoint and go on.
Options and their variables (PET_NNODES, …) are those of torchrun, also with underscores; an option comes before a variable.

Examples:
  aiforge-launch --nproc 2 train experiments/spam.yaml training.epochs=2
  aiforge-launch --nproc gpu train experiments/spam.yaml
  aiforge-launch --nproc 2 test runs/spam/2026-01-31_12-00-00
  aiforge-launch --nproc 4 --log-dir logs train.js --lr 0.1
  aiforge-launch --nproc 2 -- python train.py
  aiforge-launch --nproc 8 --nnodes 2:4 --rdzv-endpoint node1:29400 --max-restarts 3 train experiments/spam.yaml`;

function buildProgram(): Command {
  const program = new Command('aiforge-launch')
    .description('Starts the ranks of a distributed program on this machine and supervises them.')
    .argument('<target>', 'a script, train, test or validate, or with --no-node a program')
    .argument('[args...]', 'what the target is given')
    .configureHelp({ minWidthToWrap: 12 })
    .passThroughOptions()
    .showHelpAfterError('(see aiforge-launch --help)')
    .addHelpText('after', notes);
  addLaunchOptions(program);
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

const say = (message: string): void => void process.stderr.write(`aiforge-launch: ${message}\n`);

async function main([node = '', script = '', ...words]: readonly string[]): Promise<number> {
  const program: Command = buildProgram();
  const argv = [node, script, ...withDashes(program, words)];
  program.parse(argv);
  applySwitches(program);
  const { node: runsNode, nproc, nodeArg, module: isModule, ...flags } = settleVariables(program, say);
  if (isModule === true)
    program.error("error: -m is Python's: give the file of a script, or --no-node python -m MODULE");
  // Not a required option: that would be missed before a misspelt one is noticed.
  if (nproc === undefined) program.error("error: required option '--nproc <n>' not specified");
  tellOfOthers(program, say);
  tellOfContradictions({ ...flags, nproc, node: runsNode }, say);
  const [target = '', ...args] = program.args;
  const executable = !runsNode || afterDoubleDash(argv, program.args);
  if (executable && nodeArg !== undefined)
    program.error('error: --node-arg is for scripts: give a program its options itself');
  const nodeArgs = nodeArg === undefined ? {} : { nodeArgs: nodeArg };
  const { status } = await launch({ ...flags, ...nodeArgs, nproc, target, args, executable });
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

const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => void stream.write('', () => resolve()));

main(process.argv).then(
  async (launched) => {
    const status = isUnread ? unreadStatus : launched;
    endAsTold(status);
    await Promise.all([process.stdout, process.stderr].map(flushed));
    // Not left to end by itself: Node.js would take the handlers back first, and SIGUSR1 end a launch that went well.
    process.exit(isUnread ? unreadStatus : status);
  },
  (error: unknown) => {
    const expected = error instanceof AiforgeError;
    console.error(expected ? `aiforge-launch: ${error.code}: ${error.message}` : error);
    process.exitCode = 1;
  },
);
