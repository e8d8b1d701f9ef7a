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
  accelerator: 'device',
  bf16: 'precision',
  fp16: 'precision',
  devices: 'device',
  amp: 'precision',
  mixedprecision: 'precision',
  dataloaderpinmemory: 'pinMemory',
};

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
  return found !== undefined && known.includes(found.split('.')[0]!) ? found : undefined;
}
