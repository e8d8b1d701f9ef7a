import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { loadCheckpoint } from '#lib/core/checkpoints/checkpoint.js';
import { loadChecked } from '#lib/core/checkpoints/checksum.js';
import { readManifest } from '#lib/core/checkpoints/manifest.js';

const namesIn = (folder) => (existsSync(folder) ? readdirSync(folder).sort() : []);

/** The run's folder that was made last, of an experiment's in a folder of runs. */
export function newestRun(folder) {
  const parent = path.join(folder, 'runs', 'campaign');
  const name = namesIn(parent).at(-1);
  return name === undefined ? undefined : path.join(parent, name);
}

function filesOf(directory) {
  const inner = namesIn(path.join(directory, 'checkpoints')).map((name) => `checkpoints/${name}`);
  return [...namesIn(directory), ...inner];
}

function stepsOf(directory, mayBeCut) {
  const lines = readFileSync(path.join(directory, 'metrics.jsonl'), 'utf8').split('\n');
  if (lines.at(-1) === '' || mayBeCut) lines.pop();
  return lines.map((line) => JSON.parse(line)).flatMap(({ interval, step }) => (interval === 'step' ? [step] : []));
}

const isLeftover = (name) => /(^|\/)(\..*\.tmp|lock\.\d+)$/.test(name);

/** What a killed process has left in a run's folder, for the next one to clear away. */
export const leftoversIn = (directory) => (directory === undefined ? [] : filesOf(directory).filter(isLeftover));

/** What is wrong in a run's folder after a run was broken off: texts. `known` was left there before. */
export function problemsAfter(directory, { isKilled, mayBeCut, known = [] }) {
  const problems = [];
  const attempt = (what, work) => {
    try {
      work();
    } catch (error) {
      problems.push(`${what}: ${error.message}`);
    }
  };
  const files = filesOf(directory);
  for (const name of files) {
    const file = path.join(directory, name);
    if (/(^|\/)(last|best-checkpoint|step-\d+)\.safetensors$/.test(name)) attempt(name, () => loadCheckpoint(file));
    else if (/(^|\/)[^./][^/]*\.safetensors$/.test(name)) attempt(name, () => loadChecked(file));
    else if (!isKilled && isLeftover(name) && !known.includes(name)) problems.push(`${name} is left`);
  }
  if (files.includes('manifest.json')) attempt('manifest', () => readManifest(path.join(directory, 'manifest.json')));
  if (files.includes('metrics.jsonl')) {
    attempt('metrics', () => {
      const steps = stepsOf(directory, mayBeCut);
      if (steps.some((step, i) => i > 0 && step !== steps[i - 1] + 1))
        problems.push(`steps in metrics.jsonl: ${steps}`);
    });
  }
  return problems;
}

/** What differs in a run's folder from that of a run that nothing disturbed: texts. */
export function differences(directory, whole) {
  const problems = problemsAfter(directory, { isKilled: false, mayBeCut: false });
  const compared = ['last.safetensors', 'best.safetensors', 'config.yaml'];
  // Where there is a checkpoint after each epoch anyway, whatever the run was asked for.
  if (!/everyEpochs: [^1]/.test(readFileSync(path.join(whole, 'config.yaml'), 'utf8')))
    compared.push('best-checkpoint.safetensors');
  const weights = (run) => filesOf(run).filter((name) => name.startsWith('checkpoints/epoch-'));
  if (weights(directory).join() !== weights(whole).join())
    problems.push(`kept weights: ${weights(directory)}, not ${weights(whole)}`);
  else compared.push(...weights(whole));
  for (const name of compared) {
    const [own, other] = [directory, whole].map((run) => (existsSync(path.join(run, name)) ? readFileSync(path.join(run, name)) : null)); // prettier-ignore
    if (own === null || !own.equals(other)) problems.push(`${name} ${own === null ? 'is missing' : 'differs'}`);
  }
  const [own, other] = [stepsOf(directory), stepsOf(whole)];
  if (own.join() !== other.join()) problems.push(`steps in metrics.jsonl: ${own}`);
  const entries = readManifest(path.join(directory, 'manifest.json'));
  for (const name of filesOf(directory).filter((each) => each.endsWith('.safetensors'))) {
    const written = loadChecked(path.join(directory, name)).metadata.sha256;
    if (entries[name]?.sha256 !== written) problems.push(`the manifest has another checksum of ${name}`);
  }
  for (const name of Object.keys(entries)) if (!existsSync(path.join(directory, name))) problems.push(`the manifest lists ${name}, which is gone`); // prettier-ignore
  return problems;
}
