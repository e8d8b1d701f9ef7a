import { fold } from '../nearest.js';

/** What Lightning and the trainers of transformers call our settings, where the names are not alike. */
const settings: Readonly<Record<string, string>> = {
  maxepochs: 'epochs',
  numtrainepochs: 'epochs',
  lr: 'learningRate',
  optimizer: 'optimizerName',
  optim: 'optimizerName',
  loss: 'lossFnName',
  criterion: 'lossFnName',
  gradientclipval: 'gradClipNorm',
  clipvalue: 'gradClipValue',
  maxgradnorm: 'gradClipNorm',
  accumulategradbatches: 'accumulationSteps',
  gradientaccumulationsteps: 'accumulationSteps',
  perdevicetrainbatchsize: 'batchSize',
  lrscheduler: 'scheduler',
  lrschedulertype: 'scheduler',
  monitor: 'earlyStoppingMonitor',
  patience: 'earlyStoppingPatience',
  mode: 'earlyStoppingMode',
  ckptpath: 'resumeFrom',
  resumefromcheckpoint: 'resumeFrom',
  savesteps: 'checkpoint.everySteps',
  everyntrainsteps: 'checkpoint.everySteps',
  savelast: 'checkpoint.keepLast',
  savetopk: 'checkpoint.topK',
  savetotallimit: 'checkpoint.keep',
  ema: 'averaging',
  swa: 'averaging',
  numsanityvalsteps: 'sanityValBatches',
  accelerator: 'device',
  bf16: 'precision',
  fp16: 'precision',
  devices: 'device',
  amp: 'precision',
  mixedprecision: 'precision',
  dataloaderpinmemory: 'pinMemory',
  dataloadernumworkers: 'numWorkers',
  dataloaderprefetchfactor: 'prefetchFactor',
};

/** What they set that is no setting here. */
const elsewhere: Readonly<Record<string, string>> = {
  strategy: 'start it with aiforge-launch to train on several processes',
  numnodes: 'start it with aiforge-launch to train on several machines',
  findunusedparameters: 'which is training.findUnusedParameters',
  profilememory: 'and memory is in the profile without it',
  withstack: 'which profiles do not have',
  persistentworkers: 'and workers to train on stay from epoch to epoch',
};

/** What they set and we do not, and what is not meant by the names of ours that are similar. */
const without: Readonly<Record<string, string>> = {
  limitpredictbatches: 'predictions are of all items: give aiforge predict an --input with fewer',
};

/** What to do without another trainer's setting, whose name is close to one that means something else. */
export function withoutSetting(name: string): string | undefined {
  const folded = fold(name);
  return Object.hasOwn(without, folded) ? without[folded] : undefined;
}

/** What there is in place of another trainer's setting that has no setting here; undefined for any other name. */
export function elsewhereFor(name: string): string | undefined {
  const folded = fold(name);
  return Object.hasOwn(elsewhere, folded) ? elsewhere[folded] : undefined;
}

/** What they call values of our settings. */
const values: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  precision: {
    16: 'float16',
    '16mixed': 'float16',
    fp16: 'float16',
    half: 'float16',
    bf16: 'bfloat16',
    bf16mixed: 'bfloat16',
    32: 'float32',
    '32true': 'float32',
    fp32: 'float32',
    no: 'float32',
  },
  device: { gpu: 'cuda', nvidia: 'cuda' },
};

/** Our name of a value that another trainer has for one of our settings. */
export function ourValue(setting: PropertyKey | undefined, value: unknown): string | undefined {
  const known = typeof setting === 'string' && Object.hasOwn(values, setting) ? values[setting] : undefined;
  const folded = fold(String(value));
  return known !== undefined && Object.hasOwn(known, folded) ? known[folded] : undefined;
}

/** Our name of another trainer's setting, if `known` has it. */
export function ourName(name: string, known: readonly string[]): string | undefined {
  const folded = fold(name);
  const found = Object.hasOwn(settings, folded) ? settings[folded] : undefined;
  if (found === undefined) return undefined;
  const within = found.split('.');
  // As it is called from here: a checkpoint's setting within the checkpoint's.
  if (known.includes(within[0]!)) return found;
  return within.length > 1 && known.includes(within.at(-1)!) ? within.at(-1) : undefined;
}
