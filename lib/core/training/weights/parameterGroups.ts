import type { TrainingConfig } from '../../../config/trainingConfig.js';
import { settingProblem } from '../../../config/source.js';
import { didYouMean } from '../../../nearest.js';
import type { Module } from '../../../nn/index.js';
import type { Tensor } from '../../../tensor/index.js';

/** Parameters that an optimizer steps with options of their own. */
export interface ParameterGroup extends Record<string, unknown> {
  params: Tensor[];
}

type Groups = TrainingConfig['parameterGroups'];

/** A pattern of names, in which `*` stands for anything, dots too. */
export function isMatch(pattern: string, name: string): boolean {
  // A regular expression for each pattern and each parameter would take a run of many layers seconds to begin.
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return name === first;
  const end = name.length - last.length;
  if (end < first.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/** The patterns that name no parameter are told: a slip would go unnoticed. */
function checkPatterns(model: Module, patterns: readonly string[], path: readonly string[]): void {
  const names = [...model.namedParameters()].map(([name]) => name);
  for (const pattern of patterns) {
    if (names.some((name) => isMatch(pattern, name))) continue;
    const shown = names.length > 20 ? [...names.slice(0, 20), '…'] : names;
    throw settingProblem(path, `no parameter of the model is called '${pattern}'.${didYouMean(pattern, names)} It has ${shown.join(', ')}.`); // prettier-ignore
  }
}

type Frozen = TrainingConfig['freeze'];

const patternOf = (frozen: Frozen[number]): string => (typeof frozen === 'string' ? frozen : frozen.match);

/** Lets the parameters that the patterns name not learn. */
export function freeze(model: Module, frozen: Frozen): void {
  checkPatterns(model, frozen.map(patternOf), ['training', 'freeze']);
  for (const [name, parameter] of model.namedParameters()) {
    if (frozen.some((each) => isMatch(patternOf(each), name))) parameter.requiresGrad = false;
  }
  if (frozen.length === 0 || [...model.parameters()].some(({ requiresGrad }) => requiresGrad)) return;
  throw settingProblem(['training', 'freeze'], 'it freezes every parameter of the model, so that nothing would learn: leave some out.'); // prettier-ignore
}

/** To be called before each epoch, with those that are done: lets parameters learn from then on that were frozen for so many. */
export function thaw(model: Module, frozen: Frozen, epochs: number): void {
  if (!frozen.some((each) => typeof each !== 'string' && each.epochs === epochs)) return;
  const stays = frozen.filter((each) => typeof each === 'string' || each.epochs > epochs).map(patternOf);
  const thawed = frozen.filter((each) => typeof each !== 'string' && each.epochs === epochs).map(patternOf);
  for (const [name, parameter] of model.namedParameters()) {
    const matches = (pattern: string) => isMatch(pattern, name);
    if (thawed.some(matches) && !stays.some(matches)) parameter.requiresGrad = true;
  }
}

/**
 * The parameters as the experiment divides them: those that no group names first, with the optimizer's own options, then each
 * group's, which takes what none before it has taken.
 */
export function parameterGroups(model: Module, groups: Groups): ParameterGroup[] {
  groups.forEach(({ match }, i) => checkPatterns(model, [match].flat(), ['training', 'parameterGroups', String(i), 'match'])); // prettier-ignore
  const made = groups.map(({ match: _, learningRate, ...options }): ParameterGroup => ({
    params: [],
    ...options,
    ...(learningRate === undefined ? {} : { lr: learningRate }),
  }));
  const rest: ParameterGroup = { params: [] };
  for (const [name, parameter] of model.namedParameters()) {
    const at = groups.findIndex(({ match }) => [match].flat().some((pattern) => isMatch(pattern, name)));
    (made[at] ?? rest).params.push(parameter);
  }
  made.forEach(({ params }, at) => {
    if (params.length === 0) throw takenBefore(model, groups, at);
  });
  return [rest, ...made].filter(({ params }) => params.length > 0);
}

/** A group that is left without parameters would have no effect. */
function takenBefore(model: Module, groups: Groups, at: number): Error {
  const matches = ({ match }: Groups[number], name: string) => [match].flat().some((each) => isMatch(each, name));
  const own = Array.from(model.namedParameters(), ([name]) => name).filter((name) => matches(groups[at]!, name));
  const takers = [...new Set(own.map((name) => groups.findIndex((group) => matches(group, name))))].sort(
    (a, b) => a - b,
  );
  const named = takers.map((i) => `training.parameterGroups[${i}] (${[groups[i]!.match].flat().join(', ')})`).join(' and '); // prettier-ignore
  return settingProblem(
    ['training', 'parameterGroups', String(at), 'match'],
    `${named} took every parameter that it matches, so that it has no effect: put it before, or leave it out.`,
  );
}
