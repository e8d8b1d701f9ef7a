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
};

/** Our name of another trainer's setting, if `known` has it. */
export function ourName(name: string, known: readonly string[]): string | undefined {
  const folded = fold(name);
  const found = Object.hasOwn(settings, folded) ? settings[folded] : undefined;
  return found !== undefined && known.includes(found.split('.')[0]!) ? found : undefined;
}
