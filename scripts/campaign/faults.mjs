// Loaded into a training process before all else (node --import): knows at which instant of the run the process is, and does there
// what CAMPAIGN says: { phase, point, count, kind, rank, free, delay }. Without it, it counts the instants, into the file CAMPAIGN_COUNTS.
import { createRequire } from 'node:module';
import { promisify } from 'node:util';

const fs = createRequire(import.meta.url)('node:fs');
const rank = Number(process.env.RANK ?? 0);
const fault = process.env.CAMPAIGN === undefined ? undefined : JSON.parse(process.env.CAMPAIGN);
const { writeSync, writeFileSync, openSync } = fs;
const counts = {};

let phase = 'data';
let windowSize = 1;
let trainBatches = 0;
let isDone = false;
let isReaching = false;

function reach(point, at = phase) {
  // What happens at an instant has instants of its own.
  if (isReaching) return;
  const own = (counts[at] ??= {});
  own[point] = (own[point] ?? 0) + 1;
  if (fault === undefined || isDone || fault.rank !== rank) return;
  if (fault.kind === 'throw in onException' && point === 'onException') throw new Error('campaign: again');
  if (fault.phase !== at || fault.point !== point || fault.count !== own[point]) return;
  isDone = fault.kind !== 'throw in onException';
  isReaching = true;
  try {
    strike();
  } finally {
    isReaching = false;
  }
}

/** The parent sends what comes from outside; its mark says that the instant is there. */
function strike() {
  const { kind, free, delay } = fault;
  // A launcher that is killed passes no text on.
  writeFileSync(process.env.CAMPAIGN_MARK, '');
  writeSync(2, `@@campaign ${process.pid}@@\n`);
  if (kind === 'disk') fillDisk(free);
  else if (kind.startsWith('throw')) throw new Error('campaign');
  else if (delay === 0) process.kill(fault.isToLauncher ? process.ppid : process.pid, kind);
}

function fillDisk(free) {
  const descriptor = openSync(process.env.CAMPAIGN_FILLER, 'w');
  const block = Buffer.alloc(4096);
  try {
    for (;;) writeSync(descriptor, block);
  } catch (error) {
    if (error.code !== 'ENOSPC') throw error;
  }
  fs.ftruncateSync(descriptor, Math.max(0, fs.fstatSync(descriptor).size - free));
  fs.closeSync(descriptor);
}

/** Writes to files of the run are instants too: `saving` those of a checkpoint, and of the metrics where the run ends. */
function watchFiles() {
  const names = new Map();
  const told = (name, file) => {
    if (/\.safetensors|manifest\.json/.test(file)) reach(name, 'saving');
    else if (phase === 'finish' && file.includes('metrics.jsonl')) reach(name);
  };
  fs.openSync = (file, ...rest) => {
    told('open', String(file));
    const descriptor = openSync(file, ...rest);
    names.set(descriptor, String(file));
    return descriptor;
  };
  for (const name of ['writeSync', 'fsyncSync', 'closeSync']) {
    const original = fs[name];
    fs[name] = (descriptor, ...rest) => {
      told(name, names.get(descriptor) ?? '');
      if (name === 'closeSync') names.delete(descriptor);
      return original(descriptor, ...rest);
    };
  }
  for (const name of ['renameSync', 'linkSync', 'rmSync']) {
    const original = fs[name];
    fs[name] = (file, ...rest) => {
      told(name, String(file));
      return original(file, ...rest);
    };
  }
  for (const name of ['write', 'fsync']) {
    const original = fs[name];
    const promised = promisify(original);
    fs[name] = (descriptor, ...rest) => original(descriptor, ...rest);
    fs[name][promisify.custom] = (descriptor, ...rest) => {
      told(name, names.get(descriptor) ?? '');
      return promised(descriptor, ...rest);
    };
  }
}

const inTraining = (batch) => (batch % windowSize === 0 ? 'training' : 'window');

/** What each event says of the phase, where it says something. */
const phases = {
  onRunStart: ({ config }) => {
    windowSize = config.training.accumulationSteps;
    return 'training';
  },
  onStageStart: ({ stage, batches, trainedBatches }) => {
    if (stage === 'train') trainBatches = batches;
    if (stage === 'validation') return trainedBatches % trainBatches === 0 ? 'validation' : 'within';
    return stage === 'train' ? 'training' : stage;
  },
  onBatchEnd: ({ stage, batch }) => (stage === 'train' ? inTraining(batch) : undefined),
  onRunEnd: () => 'finish',
};
const phasesAfter = { onStageEnd: ({ stage }) => (stage === 'test' ? 'finish' : 'training') };

const events = [
  ...[
    'onRunStart',
    'onRunEnd',
    'onException',
    'onEpochStart',
    'onEpochEnd',
    'onStageStart',
    'onStageEnd',
    'onBatchStart',
  ],
  ...['onBatchEnd', 'onForwardStart', 'onForwardEnd', 'onBackwardStart', 'onBackwardEnd', 'onOptimizerStepStart'],
  ...['onOptimizerStepEnd', 'onCheckpointStart', 'onCheckpointEnd'],
];

function callback() {
  const methods = events.map((name) => [
    name,
    (event) => {
      phase = phases[name]?.(event) ?? phase;
      reach(name, name.startsWith('onCheckpoint') ? 'saving' : phase);
      phase = phasesAfter[name]?.(event) ?? phase;
    },
  ]);
  const state = {
    name: 'Campaign',
    stateDict: () => {
      reach('stateDict', 'saving');
      return {};
    },
    loadStateDict: () => reach('loadStateDict'),
  };
  return { ...state, ...Object.fromEntries(methods) };
}

// A launcher is told to take ranks; it has no run of its own.
if (!process.argv[1]?.includes('aiforge-launch')) {
  watchFiles();
  globalThis.campaign = { reach };
  const { Container, orchestratorOptions } = await import('aiforge');
  const { provide } = Container.prototype;
  Container.prototype.provide = function (token, factory) {
    if (token !== orchestratorOptions) return provide.call(this, token, factory);
    return provide.call(this, token, (container) => {
      const options = factory(container);
      return { ...options, callbacks: [...(options.callbacks ?? []), callback()] };
    });
  };
  process.once('exit', () => {
    if (process.env.CAMPAIGN_COUNTS && rank === 0) writeFileSync(process.env.CAMPAIGN_COUNTS, JSON.stringify(counts));
  });
}
