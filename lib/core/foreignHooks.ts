import { fold } from '../nearest.js';

/** The events that a run tells, by their own names and by what other trainers call them; as `fold` leaves the names. */
const ours: Readonly<Record<string, string>> = {
  onrunstart: 'onRunStart',
  onstepend: 'onStepEnd',
  onepochend: 'onEpochEnd',
  onrunend: 'onRunEnd',
  onexception: 'onRunEnd',
  onstepbegin: 'onStepEnd',
  onsubstepend: 'onStepEnd',
  onpredictionstep: 'onStepEnd',
  onpreoptimizerstep: 'onStepEnd',
  onbatchstart: 'onStepEnd',
  onepochbegin: 'onEpochEnd',
  onsanitycheckstart: 'onRunStart',
  onsanitycheckend: 'onRunStart',
  setup: 'onRunStart',
  onfitstart: 'onRunStart',
  ontrainstart: 'onRunStart',
  ontrainbegin: 'onRunStart',
  oninitend: 'onRunStart',
  onbatchend: 'onStepEnd',
  ontrainbatchend: 'onStepEnd',
  onbeforezerograd: 'onStepEnd',
  onoptimizerstep: 'onStepEnd',
  onlog: 'onStepEnd',
  ontrainepochend: 'onEpochEnd',
  onvalidationepochend: 'onEpochEnd',
  onvalidationend: 'onEpochEnd',
  onevaluate: 'onEpochEnd',
  onsavecheckpoint: 'onEpochEnd',
  onsave: 'onEpochEnd',
  teardown: 'onRunEnd',
  onfitend: 'onRunEnd',
  ontrainend: 'onRunEnd',
  ontestend: 'onRunEnd',
  ontestepochend: 'onRunEnd',
};

/** Our event of another trainer's name, if it has one. */
export function ourEvent(name: string): string | undefined {
  const folded = fold(name);
  return Object.hasOwn(ours, folded) ? ours[folded] : undefined;
}
