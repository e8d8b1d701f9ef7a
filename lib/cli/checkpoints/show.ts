import { statSync } from 'node:fs';

import { ExperimentConfig } from '../../config/experimentConfig.js';
import { inlineText } from '../../config/yamlLibrary.js';
import { fromJson } from '../../core/checkpoints/checkpointJson.js';
import { loadChecked } from '../../core/checkpoints/checksum.js';
import { scope, type Tensor } from '../../tensor/index.js';
import { fileAt } from './arguments.js';
import { flat } from './flat.js';
import { sizeText, table } from '../table.js';

interface Part {
  part: string;
  tensors: { name: string; dtype: string; shape: readonly number[]; bytes: number }[];
}

/** `aiforge checkpoints show`: prints what is in a checkpoint or a file of weights; gives the exit status. */
export function show(given: string, { json = false }: { json?: boolean }): number {
  const file = fileAt(given);
  const shown = scope(() => {
    const { tensors, metadata } = loadChecked(file);
    const { format = 'unknown', sha256 = null, epoch } = metadata;
    const read = (name: string): unknown => (metadata[name] === undefined ? undefined : fromJson(metadata[name]));
    const state = read('state') ?? (epoch === undefined ? {} : { epoch: Number(epoch) });
    return {
      ...{ file, bytes: statSync(file).size, format, sha256, versions: read('versions') ?? {}, state: state },
      config: notDefault(read('config')),
      parts: partsOf(tensors),
    };
  });
  process.stdout.write(`${json ? JSON.stringify(shown, null, 2) : asText(shown)}\n`);
  return 0;
}

/** The settings that are not what they are where nobody gives them, by their paths; those of the model are its plugin's. */
function notDefault(config: unknown): Record<string, unknown> {
  if (config === undefined) return {};
  const own = flat(config);
  const { experimentName, modelPlugin, datasetPlugin, dataPath } = config as ExperimentConfig;
  const defaults = flat(ExperimentConfig.parse({ experimentName, modelPlugin, datasetPlugin, dataPath }));
  const names = new Set(['experimentName', 'modelPlugin', 'datasetPlugin', 'dataPath']);
  return Object.fromEntries(Object.entries(own).filter(([path, value]) => names.has(path) || JSON.stringify(value) !== JSON.stringify(defaults[path]))); // prettier-ignore
}

const parts = /^(model|optimizer\.[^.]+|averages|callbacks|rng|cudaRng|running|gradients|metrics)\./;

function partsOf(tensors: Record<string, Tensor>): Part[] {
  const isCheckpoint = Object.keys(tensors).some((name) => name.startsWith('rng.'));
  const groups = new Map<string, Part['tensors']>();
  for (const [name, tensor] of Object.entries(tensors)) {
    const part = isCheckpoint ? (parts.exec(name)?.[1] ?? 'others') : 'model';
    const own = groups.get(part) ?? [];
    const bytes = tensor.numel() * tensor.elementSize();
    own.push({ name, dtype: tensor.dtype, shape: [...tensor.shape], bytes });
    groups.set(part, own);
  }
  return [...groups].map(([part, all]) => ({ part, tensors: all }));
}

function asText(shown: {
  file: string;
  bytes: number;
  format: string;
  versions: unknown;
  state: object;
  config: Record<string, unknown>;
  parts: Part[];
}): string {
  // prettier-ignore
  const lines = (all: object) => Object.entries(all).map(([name, value]) => `  ${name}: ${inlineText(value)}`);
  const section = (title: string, all: object) => (Object.keys(all).length === 0 ? [] : ['', title, ...lines(all)]);
  const tensors = shown.parts.flatMap(({ part, tensors: all }) => {
    const bytes = all.reduce((sum, { bytes: own }) => sum + own, 0);
    const rows = all.map((each) => ['', each.name, each.dtype, `[${each.shape.join(', ')}]`, sizeText(each.bytes)]);
    return ['', `${part}: ${all.length} tensors, ${sizeText(bytes)}`, table(rows, new Set([4]))];
  });
  return [
    `${shown.file}: ${sizeText(shown.bytes)}, format ${shown.format}`,
    ...section('versions', shown.versions as object),
    ...section('state', shown.state),
    ...section('configuration that is not default', shown.config),
    ...tensors,
  ].join('\n');
}
