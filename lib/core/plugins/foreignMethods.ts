import { AiforgeError } from '../../errors.js';
import { fold, isSlipOf } from '../../nearest.js';
import { ourEvent } from '../callbacks/foreignHooks.js';
import { isMentioned, membersOf } from '../members.js';

export type Part = 'Model' | 'Dataset' | 'Preprocessor';

/** What the framework calls of each class. */
const hooks: Readonly<Record<Part, readonly string[]>> = {
  Model: [
    'forward',
    'trainingStep',
    'validationStep',
    'predictStep',
    'transferBatchToDevice',
    'configureOptimizer',
    'configureOptimizers',
    'configureScheduler',
    'configureLossFn',
    'automaticOptimization',
    'manualBackward',
  ],
  Dataset: ['length', 'get', 'getBatch', 'loadData', 'splits', 'classNames'],
  Preprocessor: ['fit', 'transform', 'inverseTransform', 'state', 'restore', 'save', 'load'],
};

const data = 'the Dataset, whose splits() divides the samples';
const event = "a callback among the orchestrator's options";
const schedule = 'configureScheduler(optimizer, config, length)';
const loss = 'configureLossFn(name)';
const modes = 'nothing: the framework calls train() and eval()';
const steps = 'trainingStep(batch, batchIdx), which returns the loss: the framework calls backward and steps';
const untoggled = 'nothing: parameters that an optimizer does not have are not stepped by it';
const loading = 'loadData(dataPath, context)';
const gradients =
  'hooks of the parameters: registerHook or registerPostAccumulateGradHook, and training.gradClipNorm to clip';

/** What other frameworks call, as `fold` leaves the names, and what there is instead. */
const foreign: Readonly<Record<Part, Readonly<Record<string, string>>>> = {
  Model: {
    configurelrscheduler: schedule,
    configureschedulers: schedule,
    lrschedulerstep: schedule,
    configureloss: loss,
    configurelossfunction: loss,
    configurecriterion: loss,
    configurecallbacks: event,
    configuregradientclipping: 'training.gradClipNorm in the experiment',
    optimizerstep: 'training.accumulationSteps and training.gradClipNorm in the experiment; the framework steps',
    clipgradients: 'training.gradClipNorm in the experiment',
    configuregradscaler: 'training.precision in the experiment',
    configureautocast: 'training.precision in the experiment',
    configuremodel: 'the constructor',
    configureshardedmodel: 'the constructor',
    createoptimizer: `configureOptimizer(name, learningRate, options), and ${schedule}`,
    createoptimizerandscheduler: `configureOptimizer(name, learningRate, options), and ${schedule}`,
    createscheduler: schedule,
    computemetrics: 'validationStep(batch, batchIdx), which may return metrics',
    predictionstep: 'predictStep(batch, batchIdx)',
    evaluationloop: 'validationStep(batch, batchIdx)',
    onbeforebackward: gradients,
    onafterbackward: gradients,
    onbeforeoptimizerstep: gradients,
    backward: steps,
    computeloss: steps,
    toggleoptimizer: untoggled,
    untoggleoptimizer: untoggled,
    lrschedulers: schedule,
    setup: `the constructor, or ${event}, with onRunStart`,
    teardown: `${event}, with onRunEnd`,
    freeze: 'training.freeze in the experiment',
    unfreeze: 'training.freeze in the experiment, for so many epochs',
    loadfromcheckpoint: 'loadRun(directory), which gives the model of a run',
    savehyperparameters: 'nothing: the configuration is this.config, and is kept with the run',
    ontrainbatchstart: 'trainingStep(batch, batchIdx)',
    ontrainepochstart: `trainingStep(batch, batchIdx), whose batchIdx is 0 first, or ${event}, with onEpochEnd`,
    onvalidationbatchstart: 'validationStep(batch, batchIdx)',
    onvalidationbatchend: 'validationStep(batch, batchIdx)',
    onvalidationmodeleval: modes,
    onvalidationmodeltrain: modes,
    ontestmodeleval: modes,
    ontestmodeltrain: modes,
    onpredictmodeleval: modes,
    onpredictmodeltrain: modes,
    onpredictstart: 'predictStep(batch, batchIdx)',
    onpredictend: 'predictStep(batch, batchIdx)',
    onpredictepochstart: 'predictStep(batch, batchIdx)',
    onpredictepochend: 'predictStep(batch, batchIdx)',
    onvalidationstart: 'validationStep(batch, batchIdx)',
    onvalidationepochstart: 'validationStep(batch, batchIdx)',
    ontestbatchstart: 'validationStep(batch, batchIdx), which the test runs too',
    ontestbatchend: 'validationStep(batch, batchIdx), which the test runs too',
    onteststart: 'validationStep(batch, batchIdx), which the test runs too',
    ontestepochstart: 'validationStep(batch, batchIdx), which the test runs too',
    onpredictbatchstart: 'predictStep(batch, batchIdx)',
    onpredictbatchend: 'predictStep(batch, batchIdx)',
    onloadcheckpoint: 'stateDict hooks of the module (registerLoadStateDictPostHook), or a buffer',
    optimizerzerograd: 'nothing: the framework clears the gradients',
    trainstep: 'trainingStep(batch, batchIdx)',
    valstep: 'validationStep(batch, batchIdx)',
    evaluationstep: 'validationStep(batch, batchIdx)',
    teststep: 'validationStep(batch, batchIdx), which the test runs too',
    trainingstepend: `${event}, with onBatchEnd`,
    validationstepend: `${event}, with onBatchEnd`,
    trainingepochend: `${event}, with onEpochEnd`,
    validationepochend: `${event}, with onEpochEnd; metrics of a step are means over the epoch`,
    testepochend: `${event}, with onRunEnd`,
    traindataloader: data,
    valdataloader: data,
    testdataloader: data,
    predictdataloader: data,
    onafterbatchtransfer: 'transferBatchToDevice(batch, device), which may change what it moves',
    onbeforebatchtransfer: 'transferBatchToDevice(batch, device), which may change what it moves',
    movedatatodevice: 'transferBatchToDevice(batch, device)',
    preparedata: 'loadData(dataPath, context) of the Dataset',
  },
  Dataset: {
    setup: loading,
    preparedata: `${loading}: where context.rank is 0, and context.barrier() after it`,
    teardown: `nothing: what ${loading} holds goes with the run`,
    shuffle: 'nothing: the framework shuffles the samples of training, by training.seed',
    classes: 'classNames',
    split: 'splits(), which returns { train, val, test }',
    trainvalsplit: 'splits(), which returns { train, val, test }',
    collate: 'get(index), and transform of a Preprocessor: there samples are cut or padded to one length',
    collatefn: 'get(index), and transform of a Preprocessor: there samples are cut or padded to one length',
    getitem: 'get(index)',
    getitems: 'getBatch(indices)',
    len: 'get length()',
    iter: 'get length() and get(index)',
    traindataloader: 'splits(), which returns { train, val, test }',
    valdataloader: 'splits(), which returns { train, val, test }',
    testdataloader: 'splits(), which returns { train, val, test }',
  },
  Preprocessor: {
    fittransform: 'fit(items, args) and transform(item), which are called one after the other',
    partialfit: 'fit(items, args), which gets all items of the training split',
    getstate: 'state()',
    setstate: 'restore(state)',
    statedict: 'state()',
    loadstatedict: 'restore(state)',
  },
};

/**
 * Throws PLUGIN_INVALID for a method that its author expects to be called and nothing calls: another framework's, or one that is
 * ours but for a slip. Helpers under names of their own are nobody's business.
 *
 * @param object A class's prototype, or what it made: methods may be properties too.
 * @param base The prototype of the class that it extends.
 */
export function refuseForeignMethods(who: string, part: Part, object: object, base: object): void {
  const members = membersOf(object, base);
  const names = new Set(members.map(([name]) => name));
  for (const [name, { value }] of members) {
    const isMethod = typeof value === 'function';
    if (!(isMethod || isSetting(part, name)) || hooks[part].includes(name) || name in base) continue;
    if (isMentioned(object, name, base)) continue;
    const instead = replacement(part, name, names, base);
    if (instead === undefined) continue;
    throw new AiforgeError(
      'PLUGIN_INVALID',
      `${who}: class ${part} has '${name}', which nothing ${isMethod ? 'calls' : 'reads'}; write ${instead}.`,
    );
  }
}

/** What a step of a model is to write in place of a call of what it does not have; undefined where nothing is known of it. */
export function insteadOfCall(name: string): string | undefined {
  const folded = fold(name);
  if (folded === 'optimizers') return 'this.optimizers, an object of optimizers by name';
  if (Object.hasOwn(foreign.Model, folded)) return foreign.Model[folded];
  const own = [...hooks.Model, 'logDict', 'logText', 'logImage', 'logHistogram'].find((each) => fold(each) === folded);
  return own === undefined ? undefined : `this.${own}(…)`;
}

/** Properties, or getters, that tell the framework something. */
const settings: Readonly<Record<Part, readonly string[]>> = {
  Model: ['automaticoptimization'],
  Dataset: ['classnames', 'classes', 'len'],
  Preprocessor: [],
};
const isSetting = (part: Part, name: string): boolean => settings[part].includes(fold(name));

function replacement(part: Part, name: string, own: ReadonlySet<string>, base: object): string | undefined {
  const folded = fold(name);
  if (Object.hasOwn(foreign[part], folded)) return foreign[part][folded];
  const ours = part === 'Model' && /^on(_|[A-Z])/.test(name) ? ourEvent(name) : undefined;
  if (ours !== undefined) return `${event}, with ${ours}`;
  // Where the hook itself is there, one that is merely similar is a helper.
  const known = hooks[part];
  return (
    known.find((hook) => fold(hook) === folded) ??
    known.find((hook) => !own.has(hook) && isSlipOf(name, hook)) ??
    membersOf(base).find(([member]) => fold(member) === folded)?.[0]
  );
}
