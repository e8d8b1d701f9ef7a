#!/usr/bin/env node
import '../userSignals.js';

import type { Command } from 'commander';

import { launchAs } from '../distributed/launch.js';
import { AiforgeError } from '../errors.js';
import { endAsTold } from './hangUp.js';
import { buildLaunchCommand, withDashes } from './launchOptions.js';
import { nobodyReads, watchStreams } from './launchStreams.js';
import { applySwitches, flagOf, settleVariables, tellOfContradictions, tellOfOthers } from './launchVariables.js';

/** Whether `--` stands right before the target, which commander leaves out of what it gives back. */
function afterDoubleDash(argv: readonly string[], operands: readonly string[]): boolean {
  return argv[argv.length - operands.length - 1] === '--';
}

/** As after SIGPIPE. */
const unreadStatus = 141;

const say = (message: string): void => void process.stderr.write(`aiforge-launch: ${message}\n`);

async function main([node = '', script = '', ...words]: readonly string[]): Promise<number> {
  const program: Command = buildLaunchCommand();
  const argv = [node, script, ...withDashes(program, words)];
  program.parse(argv);
  applySwitches(program);
  const { node: runsNode, nproc, nodeArg, module: isModule, ...flags } = settleVariables(program, say);
  if (isModule === true)
    program.error("error: -m is Python's: give the file of a script, or --no-node python -m MODULE");
  // Not a required option: that would be missed before a misspelt one is noticed.
  if (nproc === undefined) program.error("error: required option '--nproc <n>' not specified");
  tellOfOthers(program, say);
  tellOfContradictions(program, { ...flags, nproc, node: runsNode }, say);
  const [target = '', ...args] = program.args;
  const executable = !runsNode || afterDoubleDash(argv, program.args);
  if (executable && nodeArg !== undefined)
    program.error('error: --node-arg is for scripts: give a program its options itself');
  const nodeArgs = nodeArg === undefined ? {} : { nodeArgs: nodeArg };
  const options = { ...flags, ...nodeArgs, nproc, target, args, executable };
  const { status } = await launchAs(options, (option) => flagOf(program, option));
  return status;
}

watchStreams();

main(process.argv).then(
  (launched) => {
    const status = nobodyReads() ? unreadStatus : launched;
    endAsTold(status);
    // Not left to end by itself: Node.js would take the handlers back first, and a signal end a launch that has ended well.
    process.exit(status);
  },
  (error: unknown) => {
    const expected = error instanceof AiforgeError;
    console.error(expected ? `aiforge-launch: ${error.code}: ${error.message}` : error);
    process.exitCode = 1;
  },
);
