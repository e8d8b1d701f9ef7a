import type { Command } from 'commander';

import { parseNodes } from '../distributed/launch/nodes.js';
import { contradictionsOfPod } from '../distributed/launch/kubernetes.js';
import type { LaunchOptions } from '../distributed/launch/options.js';
import { contradictionsOfLaunch } from '../distributed/launch/slurm.js';
import { AiforgeError } from '../errors.js';
import { nearest } from '../nearest.js';
import { switches, type LaunchFlags } from './launchOptions.js';

/** Torchrun's switches have these; they mean nothing here, or have another form. */
const without = ['PET_RUN_PATH', 'PET_START_METHOD', 'PET_EVENT_LOG_HANDLER', 'PET_SIGNALS_TO_HANDLE', 'PET_VIRTUAL_LOCAL_RANK', 'PET_DUPLICATE_STDOUT_FILTERS', 'PET_DUPLICATE_STDERR_FILTERS']; // prettier-ignore

function readSwitch(name: string): boolean | undefined {
  const value = process.env[name];
  if (value === undefined || value === '') return undefined;
  if (/^\d+$/.test(value)) return Number(value) !== 0;
  throw new AiforgeError('INVALID_ARGUMENT', `${name} is '${value}' in the environment; expected 1 or 0.`);
}

/** What the environment says of switches; an option on the command line comes before it. */
export function applySwitches(command: Command): void {
  const isGiven = (name: string) => command.getOptionValueSource(name) === 'cli';
  if (!isGiven('standalone') && readSwitch(switches.standalone) === true)
    command.setOptionValueWithSource('standalone', true, 'env');
  if (!isGiven('node') && readSwitch(switches.noPython) === true)
    command.setOptionValueWithSource('node', false, 'env');
  if (!isGiven('module') && readSwitch(switches.module) === true)
    command.setOptionValueWithSource('module', true, 'env');
}

type Name = keyof LaunchFlags;
const ofNodes: readonly Name[] = [
  'nnodes',
  'nodeRank',
  'rdzvEndpoint',
  'rdzvBackend',
  'rdzvConf',
  'masterAddr',
  'masterPort',
];
const ofMeeting: readonly Name[] = ['rdzvConf', 'localAddr'];
const ofPlaces: readonly Name[] = ['masterAddr', 'masterPort'];

/**
 * Leaves out what the environment says where the command line says something that does not go with it, and says so: an empty
 * variable, nodes for `--standalone`, an address of rank 0 where the launchers find one.
 */
export function settleVariables(command: Command, say: (message: string) => void): LaunchFlags {
  const flags: LaunchFlags = { ...command.opts<LaunchFlags>() };
  const leaveOut = (names: readonly Name[], reason: string): void => {
    for (const name of names) {
      if (command.getOptionValueSource(name) !== 'env' || flags[name] === undefined) continue;
      say(`${variableOf(command, name)} is not used: ${reason}`);
      delete flags[name];
    }
  };
  for (const name of Object.keys(flags) as Name[]) {
    // As torchrun has it, an empty text is none.
    if (flags[name] === '' && command.getOptionValueSource(name) === 'env') delete flags[name];
  }
  if (flags.standalone === true && command.getOptionValueSource('standalone') === 'cli')
    leaveOut(ofNodes, '--standalone is one node');
  const meets =
    flags.rdzvEndpoint !== undefined &&
    flags.rdzvBackend !== 'static' &&
    (flags.rdzvBackend === 'c10d' || flags.nodeRank === undefined);
  if (flags.rdzvEndpoint === undefined) leaveOut(ofMeeting, 'without --rdzv-endpoint no launcher meets another');
  if (meets) leaveOut(ofPlaces, 'with --rdzv-endpoint the node of rank 0 says where it listens');
  return flags;
}

/** What an option of `launch` is called where its value came from: a variable, else the command line. */
export function flagOf(command: Command, name: keyof LaunchOptions): string {
  if (command.getOptionValueSource(name) === 'env') return variableOf(command, name);
  const attribute = ofOtherNames[name] ?? name;
  return command.options.find((option) => option.attributeName() === attribute)?.long ?? name;
}

const ofOtherNames: Readonly<Partial<Record<keyof LaunchOptions, keyof LaunchFlags>>> = {
  nodeArgs: 'nodeArg',
  executable: 'node',
};

function variableOf(command: Command, name: string): string {
  return command.options.find((option) => option.attributeName() === name)?.envVar ?? name;
}

/** Says which of torchrun's variables have no effect, and which look like a slip. */
export function tellOfOthers(command: Command, say: (message: string) => void): void {
  const known = [...command.options.flatMap(({ envVar }) => envVar ?? []), ...Object.values(switches)];
  for (const name of Object.keys(process.env)) {
    if (!name.startsWith('PET_') || known.includes(name)) continue;
    const meant = nearest(name, known);
    if (without.includes(name)) say(`${name} has no effect here; see aiforge-launch --help`);
    else if (meant !== undefined) say(`${name} is no variable of torchrun's and has no effect. Did you mean ${meant}?`);
  }
}

/** Says what of the surroundings does not go with this launch: tasks of srun, variables of Kubernetes, another launcher. */
export function tellOfContradictions(command: Command, flags: LaunchFlags, say: (message: string) => void): void {
  const { nproc = 1, nnodes = 1 } = flags;
  const { env } = process;
  const nodes = parseNodes(nnodes, flagOf(command, 'nnodes'));
  for (const contradiction of contradictionsOfLaunch(env, nproc, nodes)) say(contradiction);
  for (const contradiction of contradictionsOfPod(env, { ...flags, nproc }, nodes)) say(contradiction);
  for (const name of ['MASTER_ADDR', 'MASTER_PORT']) {
    const [theirs, ours] = [env[name], env[`PET_${name}`]];
    if (theirs !== undefined && ours !== undefined && theirs !== ours) say(`${name} is ${theirs} and PET_${name} ${ours} in the environment: ranks get the one of the launch`); // prettier-ignore
  }
  if (env.TORCHELASTIC_RUN_ID !== undefined && Number(env.WORLD_SIZE) > 1) {
    say(`this is rank ${env.RANK} of ${env.WORLD_SIZE} of another launcher, and each of those starts ${nproc} ranks`);
  }
}
