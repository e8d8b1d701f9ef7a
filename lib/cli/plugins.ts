import path from 'node:path';

import pc from 'picocolors';

import { loadExperimentConfig } from '../config/load.js';
import { isPath } from '../config/paths.js';
import { readSettings } from '../config/settings.js';
import { checkPlugin, type CheckedPlugin } from '../core/plugins/checkPlugin.js';
import { listPlugins, type ListedPlugin } from '../core/plugins/listPlugins.js';
import { isDirectory } from '../core/plugins/pluginPlaces.js';
import { loadPlugin } from '../core/plugins/plugins.js';
import { tryExperiment, type TriedExperiment } from '../core/runs/tryExperiment.js';
import { AiforgeError } from '../errors.js';
import { explain } from './explain.js';

const write = (text: string): void => void process.stdout.write(`${text}\n`);

/** As it is seen from the working directory, unless it lies elsewhere altogether. */
function shown(directory: string): string {
  const relative = path.relative(process.cwd(), directory);
  return relative === '' ? '.' : relative.startsWith('..') ? directory : relative;
}

/** `aiforge plugins ls`: what an experiment here can name. Gives the exit status: a broken plugin is shown, and is no failure. */
export function listing(asJson: boolean): number {
  const plugins = listPlugins(process.cwd());
  if (asJson) write(JSON.stringify(plugins, undefined, 2));
  else if (plugins.length === 0) write('No plugins here. Begin one with: npx aiforge new plugin my_plugin');
  else for (const plugin of plugins) write(entry(plugin));
  return 0;
}

function entry({ name, version, description, parts, from, directory, error }: ListedPlugin): string {
  const headline = `${pc.bold(name)}${version === null ? '' : ` ${version}`}${description === null ? '' : `  ${description}`}`;
  const where = directory === null ? (from === 'code' ? 'registered in code' : `a ${from}`) : shown(directory);
  if (error !== null) return `${headline}\n  ${pc.red('broken:')} ${error.replaceAll('\n', '\n  ')}`;
  return `${headline}\n  ${parts.join(', ')}\n  ${pc.dim(where)}`;
}

/** `aiforge plugins check`: what is known of a plugin, and with an experiment what a step of it showed. Gives the exit status. */
export async function check(given: string, experiment: string | undefined, asJson: boolean): Promise<number> {
  try {
    const name = nameOf(given);
    const plugin = checkPlugin(name, process.cwd());
    const tried = experiment === undefined ? null : await tryWith(name, experiment);
    if (asJson) write(JSON.stringify({ ok: true, ...plugin, tried: tried && withoutFolders(tried) }, undefined, 2));
    else write([...describePlugin(plugin), ...(tried === null ? [] : describeTried(tried))].join('\n'));
    return 0;
  } catch (error) {
    if (!asJson) throw error;
    const code = error instanceof AiforgeError ? error.code : null;
    write(JSON.stringify({ ok: false, code, error: explain(error, pc.createColors(false)) }, undefined, 2));
    return 1;
  }
}

/** A folder that a shell completed, `plugins/mine/`, is meant as a path. */
function nameOf(given: string): string {
  const isFolder = given.includes('/') && !isPath(given) && !given.includes('\0') && isDirectory(given);
  return isFolder ? `./${given}` : given;
}

async function tryWith(name: string, file: string): Promise<TriedExperiment> {
  const config = loadExperimentConfig(file);
  const controller = new AbortController();
  const { DATA_DIR: dataDir } = readSettings();
  const from = path.dirname(path.resolve(file));
  refuseOther(name, file, [config.modelPlugin, config.datasetPlugin], from);
  return tryExperiment(config, { from, dataDir, signal: controller.signal });
}

function refuseOther(name: string, file: string, used: readonly string[], from: string): void {
  const own = loadPlugin(name, { from: process.cwd() }).directory;
  const isUsed = used.some((other) => other === name || (own !== undefined && directoryOf(other, from) === own));
  if (isUsed) return;
  throw new AiforgeError(
    'CONFIG_INVALID',
    `${file} uses the plugins ${[...new Set(used)].map((other) => `'${other}'`).join(' and ')}, not '${name}': give an experiment of this plugin.`,
  );
}

function directoryOf(name: string, from: string): string | undefined {
  try {
    return loadPlugin(name, { from }).directory;
  } catch {
    // Trying the experiment tells of it.
    return undefined;
  }
}

const withoutFolders = ({ directories: _, ...seen }: TriedExperiment) => seen;

function describePlugin({ name, version, description, aiforge, directory, parts, settings }: CheckedPlugin): string[] {
  const row = (what: string, value: string) => `  ${what.padEnd(12)} ${value}`;
  return [
    `${pc.green('✓')} ${pc.bold(name)}${version === null ? '' : ` ${version}`}${description === null ? '' : `  ${description}`}`,
    ...(directory === null ? [] : [row('folder', shown(directory))]),
    row('parts', parts.join(', ')),
    ...(aiforge === null ? [] : [row('aiforge', aiforge)]),
    ...settings.map((setting, index) =>
      row(
        index === 0 ? 'settings' : '',
        `model.${setting.name}${setting.isRequired ? ' (must be given)' : ''}${setting.description === null ? '' : `: ${setting.description}`}`,
      ),
    ),
  ];
}

function describeTried({ parameters, samples, batch, trainLoss, valLoss }: TriedExperiment): string[] {
  const row = (what: string, value: string) => `  ${what.padEnd(12)} ${value}`;
  const frozen =
    parameters.all === parameters.trainable ? '' : `, ${parameters.trainable.toLocaleString('en')} of them learn`;
  const { train, val, test } = samples;
  return [
    `${pc.green('✓')} one step of training and one of validation`,
    row('parameters', `${parameters.all.toLocaleString('en')}${frozen}`),
    row('samples', `${train} to train on, ${val} to validate, ${test} to test`),
    ...Object.entries(batch).map(([name, what], index) => row(index === 0 ? 'batch' : '', `${name}: ${what}`)),
    row(
      'loss',
      `${trainLoss.toFixed(4)} in training${valLoss === null ? '' : `, ${valLoss.toFixed(4)} in validation`}`,
    ),
  ];
}
