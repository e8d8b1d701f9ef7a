import { Command, InvalidArgumentError, Option } from 'commander';

import type { LaunchOptions, RendezvousBackend } from '../distributed/launch/options.js';
import { rankCountKind, type RankCount } from '../distributed/launch/rankCount.js';
import { parseConf } from '../distributed/launch/rendezvousConf.js';
import type { AiforgeError } from '../errors.js';
import { hintForeignOptions } from './commands/foreignOptions.js';
import { collect, refuseRepeated } from './commands/repeatedOptions.js';

/** What the options of `aiforge-launch` say, under the names of `launch`. */
export type LaunchFlags = Omit<
  LaunchOptions,
  'nproc' | 'target' | 'args' | 'executable' | 'nodeArgs' | 'handleSignals' | 'env' | 'cwd' | 'stdout' | 'stderr'
> & { nproc?: number | RankCount; node: boolean; nodeArg?: string[]; module?: boolean };

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

function backend(text: string): RendezvousBackend {
  if (text === 'c10d' || text === 'static') return text;
  const isOfServer = /^(etcd|etcd-v2|zeus)$/.test(text);
  const remedy = isOfServer ? ' With c10d the launchers meet without a server of that kind.' : '';
  throw new InvalidArgumentError(`It must be c10d or static.${remedy}`);
}

function conf(text: string): ReturnType<typeof parseConf> {
  try {
    return parseConf(text);
  } catch (error) {
    throw new InvalidArgumentError((error as AiforgeError).message);
  }
}

function localRanks(text: string): number[] {
  const ranks = text.split(',').map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : NaN));
  if (ranks.some(Number.isNaN))
    throw new InvalidArgumentError('It must be local ranks with commas between, such as 0,1.');
  return ranks;
}

/** An option that torchrun's variable stands in for, such as `PET_NNODES`. */
function withVariable(flags: string, description: string, variable: string): Option {
  return new Option(flags, description).env(variable);
}

/** Options of torchrun that say whether, and their variables; commander would take `0` for yes. */
export const switches = { standalone: 'PET_STANDALONE', noPython: 'PET_NO_PYTHON', module: 'PET_MODULE' } as const;

function addRanks(command: Command): void {
  command
    .optionsGroup('Ranks:')
    .addOption(
      withVariable(
        '--nproc <n>',
        'ranks to start on this node: a number, gpu (one a GPU), cpu (one a core), or auto (gpu, else cpu); must be given; as --nproc-per-node',
        'PET_NPROC_PER_NODE',
      ).argParser(rankCount),
    )
    .addOption(withVariable('--role <name>', 'what the ranks are called (default: default)', 'PET_ROLE'))
    .option('--no-node', 'run the target as a program of its own; as --no-python')
    .option(
      '--node-arg <option>',
      "an option for the ranks' Node.js, such as --node-arg=--inspect; may be given several times",
      collect,
    )
    .addOption(new Option('-m, --module').hideHelp());
}

function addNodes(command: Command): void {
  command
    .optionsGroup('Several nodes:')
    .addOption(withVariable('--nnodes <n>', 'nodes that take part, or min:max (default: 1)', 'PET_NNODES'))
    .addOption(
      withVariable(
        '--rdzv-endpoint <at>',
        'host:port where the launchers of all nodes meet; they coordinate restarts',
        'PET_RDZV_ENDPOINT',
      ),
    )
    .addOption(withVariable('--rdzv-id <id>', "the job's name, the same on all nodes (default: none)", 'PET_RDZV_ID'))
    .addOption(
      withVariable(
        '--rdzv-backend <name>',
        'c10d, or static (default: c10d with --rdzv-endpoint)',
        'PET_RDZV_BACKEND',
      ).argParser(backend),
    )
    .addOption(
      withVariable('--rdzv-conf <k=v,…>', 'such as join_timeout=600,last_call_timeout=30', 'PET_RDZV_CONF').argParser(
        conf,
      ),
    )
    .option('--standalone', 'one node, whatever else runs here')
    .addOption(withVariable('--local-addr <host>', 'where other nodes reach this one', 'PET_LOCAL_ADDR'))
    .addOption(
      withVariable('--node-rank <n>', 'static: which of the nodes this is', 'PET_NODE_RANK').argParser(numeral),
    )
    .addOption(
      withVariable('--master-addr <host>', 'static: where rank 0 listens (default: 127.0.0.1)', 'PET_MASTER_ADDR'),
    )
    .addOption(
      withVariable(
        '--master-port <port>',
        'the port rank 0 listens on (default: a free one; static: 29500)',
        'PET_MASTER_PORT',
      ).argParser(numeral),
    );
}

function addSupervision(command: Command): void {
  command
    .optionsGroup('Supervision:')
    .addOption(
      withVariable(
        '--max-restarts <n>',
        'how often all ranks are started again after a failure; train goes on with its last checkpoint (default: 0)',
        'PET_MAX_RESTARTS',
      ).argParser(numeral),
    )
    .addOption(
      withVariable(
        '--monitor-interval <s>',
        'how often it is looked whether a rank is stopped (default: 1)',
        'PET_MONITOR_INTERVAL',
      ).argParser(numeral),
    )
    .addOption(
      withVariable(
        '--shutdown-timeout <s>',
        'how long a rank that is to stop has until it is killed (default: 30)',
        'PET_SHUTDOWN_TIMEOUT',
      ).argParser(numeral),
    );
}

function addOutput(command: Command): void {
  command
    .optionsGroup('Output:')
    .addOption(
      withVariable('--log-dir <dir>', 'also write what each rank prints to a file of its own there', 'PET_LOG_DIR'),
    )
    .addOption(
      withVariable(
        '-t, --tee <s>',
        'write to a file a stream as well: 1 stdout, 2 stderr, 3 both, or 0:1,1:3 by local rank',
        'PET_TEE',
      ),
    )
    .addOption(withVariable('-r, --redirects <s>', 'write to a file a stream only, as --tee', 'PET_REDIRECTS'))
    .addOption(
      withVariable(
        '--local-ranks-filter <r>',
        'show what these local ranks print alone, such as 0,1',
        'PET_LOCAL_RANKS_FILTER',
      ).argParser(localRanks),
    )
    .option('--no-prefix', 'do not put "[rank N] " before each line');
}

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

/** `aiforge-launch` with its options, which are torchrun's where it has them. */
export function buildLaunchCommand(): Command {
  const program = new Command('aiforge-launch')
    .description('Starts the ranks of a distributed program on this machine and supervises them.')
    .argument('<target>', 'a script, train, test or validate, or with --no-node a program')
    .argument('[args...]', 'what the target is given')
    .configureHelp({ minWidthToWrap: 12, optionDescription: ({ description }) => description })
    .passThroughOptions()
    .showHelpAfterError('(see aiforge-launch --help)')
    .addHelpText('after', notes);
  for (const add of [addRanks, addNodes, addSupervision, addOutput]) add(program);
  refuseRepeated(program);
  hintForeignOptions(program);
  return program;
}

/** Torchrun's names of options that are called otherwise here. */
const otherNames: Readonly<Record<string, string>> = { '--nproc-per-node': '--nproc', '--no-python': '--no-node' };

/** The words of a command line with torchrun's names of options, and its older spellings, `--nproc_per_node`, as those of today; what follows the target stays. */
export function withDashes(command: Command, words: readonly string[]): string[] {
  const spelt = [...words];
  for (let i = 0; i < spelt.length; i++) {
    const word = spelt[i]!;
    if (!word.startsWith('-') || word === '--') break;
    const [name = '', ...value] = word.split('=');
    const withDashes = name.startsWith('--') ? name.replaceAll('_', '-') : name;
    const dashed = otherNames[withDashes] ?? withDashes;
    spelt[i] = [dashed, ...value].join('=');
    const option = command.options.find(({ short, long }) => dashed === short || dashed === long);
    if (option?.required === true && value.length === 0) i++;
  }
  return spelt;
}
