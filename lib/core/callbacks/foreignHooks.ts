import { fold } from '../../nearest.js';
import { events } from './events.js';

/** The events that a run tells, by what other trainers call them; as `fold` leaves the names. */
const ours: Readonly<Record<string, string>> = {
  onstepbegin: 'onBatchStart',
  onstepend: 'onBatchEnd',
  onsubstepend: 'onBatchEnd',
  onpredictionstep: 'onBatchEnd',
  onpreoptimizerstep: 'onOptimizerStepStart',
  onoptimizerstep: 'onOptimizerStepEnd',
  onbeforeoptimizerstep: 'onOptimizerStepStart',
  onbeforezerograd: 'onOptimizerStepEnd',
  onbeforebackward: 'onBackwardStart',
  onafterbackward: 'onBackwardEnd',
  onepochbegin: 'onEpochStart',
  ontrainepochstart: 'onEpochStart',
  ontrainepochend: 'onEpochEnd',
  onsanitycheckstart: 'onStageStart',
  onsanitycheckend: 'onStageEnd',
  setup: 'onRunStart',
  onfitstart: 'onRunStart',
  ontrainstart: 'onRunStart',
  ontrainbegin: 'onRunStart',
  oninitend: 'onRunStart',
  ontrainbatchstart: 'onBatchStart',
  ontrainbatchend: 'onBatchEnd',
  onvalidationbatchstart: 'onBatchStart',
  onvalidationbatchend: 'onBatchEnd',
  ontestbatchstart: 'onBatchStart',
  ontestbatchend: 'onBatchEnd',
  onlog: 'onBatchEnd',
  onvalidationstart: 'onStageStart',
  onvalidationepochstart: 'onStageStart',
  onvalidationepochend: 'onEpochEnd',
  onvalidationend: 'onStageEnd',
  onteststart: 'onStageStart',
  ontestepochstart: 'onStageStart',
  ontestepochend: 'onStageEnd',
  ontestend: 'onStageEnd',
  onevaluate: 'onStageEnd',
  onsavecheckpoint: 'onCheckpointStart',
  onsave: 'onCheckpointEnd',
  onloadcheckpoint: 'loadStateDict',
  loadstatedict: 'loadStateDict',
  statedict: 'stateDict',
  teardown: 'onRunEnd',
  onfitend: 'onRunEnd',
  ontrainend: 'onRunEnd',
};

/** Our event of another trainer's name, if it has one. */
export function ourEvent(name: string): string | undefined {
  const folded = fold(name);
  if (Object.hasOwn(ours, folded)) return ours[folded];
  return events.find((event) => fold(event) === folded);
}
