import pc from 'picocolors';

import { loadExperimentConfig } from '../../config/load.js';
import { showOrigin, type Origin } from '../../config/origin.js';
import { sourceOf } from '../../config/source.js';
import { inlineText } from '../../config/yamlLibrary.js';
import { loadPlugin } from '../../core/plugins/plugins.js';
import { modelConfigOf } from '../../core/runs/experiment.js';
import { pluginsFrom, withFiles } from './arguments.js';
import { settingsOf, type ResolvedSetting } from './settingList.js';

interface ShowOptions {
  changed?: boolean;
  json?: boolean;
}

/** `aiforge config show`: prints every setting of a configuration with its origin; gives the exit status. */
export function show(given: readonly string[], { changed = false, json = false }: ShowOptions): number {
  const { files, overrides } = withFiles('config show', given);
  const config = loadExperimentConfig(files, overrides);
  const plugin = loadPlugin(config.modelPlugin, { from: pluginsFrom(files), kind: 'model' });
  const resolved = { ...config, model: modelConfigOf(plugin, config) };
  const { originAt } = sourceOf(config)!;
  const settings = settingsOf(resolved, originAt).filter(({ origin }) => !changed || origin !== undefined);
  const text = json ? asJson(settings, plugin.name) : asText(settings, plugin.name);
  process.stdout.write(`${text}\n`);
  return 0;
}

function asJson(settings: readonly ResolvedSetting[], plugin: string): string {
  const shown = settings.map(({ path, value, origin }) => ({
    path,
    value,
    origin: originAsJson(path, origin, plugin),
  }));
  // JSON has no such numbers: they are as in YAML.
  const writable = (_: string, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? inlineText(value) : value;
  return JSON.stringify({ settings: shown }, writable, 2);
}

function originAsJson(path: ResolvedSetting['path'], origin: Origin | undefined, plugin: string): object {
  if (origin === undefined) return isOfPlugin(path) ? { kind: 'plugin', plugin } : { kind: 'default' };
  const { override, variables, file, value } = origin;
  if (override !== undefined) return { kind: 'override', override };
  const place = { file, ...value };
  return variables === undefined ? { kind: 'file', ...place } : { kind: 'environment', variables, ...place };
}

const isOfPlugin = (path: ResolvedSetting['path']): boolean => path[0] === 'model' && path.length > 1;

/** The widest that the column of settings becomes; what is longer stands out of it. */
const widest = 56;

function asText(settings: readonly ResolvedSetting[], plugin: string): string {
  const color = pc.createColors(process.stdout.isTTY === true && pc.isColorSupported);
  const lines = linesOf(settings);
  const lengths = lines.flatMap(({ text, setting }) =>
    setting === undefined || text.length > widest ? [] : [text.length],
  );
  const width = Math.max(0, ...lengths);
  return lines
    .map(({ text, setting }) => {
      if (setting === undefined) return text;
      const { path, origin } = setting;
      const given = isOfPlugin(path) ? `default of ${plugin}` : 'default';
      return `${text.padEnd(width)}  ${color.dim(origin === undefined ? given : shortened(showOrigin(origin)))}`;
    })
    .join('\n');
}

const longest = 72;

/** An override may be as long as its value. */
const shortened = (text: string): string =>
  text.startsWith('override') && text.length > longest ? `${text.slice(0, longest)}…'` : text;

interface Line {
  text: string;
  /** The setting that stands in it; a heading has none. */
  setting?: ResolvedSetting;
}

/** The settings as YAML: each under the mappings and lists that it stands in. */
function linesOf(settings: readonly ResolvedSetting[]): Line[] {
  const lines: Line[] = [];
  let before: ResolvedSetting['path'] = [];
  for (const setting of settings) {
    const { path, value } = setting;
    let depth = 0;
    while (depth < path.length - 1 && path[depth] === before[depth]) depth++;
    let dashes = '';
    for (; depth < path.length; depth++) {
      const key = path[depth]!;
      const indent = '  '.repeat(Math.max(0, depth - dashes.length / 2)) + dashes;
      const isLast = depth === path.length - 1;
      if (typeof key === 'number' && !isLast) {
        dashes += '- ';
        continue;
      }
      const name = typeof key === 'number' ? '-' : `${inlineText(key)}:`;
      lines.push(isLast ? { text: `${indent}${name} ${inlineText(value)}`, setting } : { text: `${indent}${name}` });
      dashes = '';
    }
    before = path;
  }
  return lines;
}
