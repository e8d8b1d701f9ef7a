import { readFileSync } from 'node:fs';

import { ExperimentConfig } from '../../config/experimentConfig.js';
import { readYamlText } from '../../config/yamlText.js';
import { runFiles } from '../../core/runs/runDirectory.js';
import { isPlainObject } from '../../realms.js';

/** Settings by their paths, such as `training.epochs`. */
export type FlatSettings = Record<string, unknown>;

/** The settings of a run by its `config.yaml`, which is data alone; undefined where there is none that can be read. */
export function settingsOf(directory: string): FlatSettings | undefined {
  try {
    const { value } = readYamlText(readFileSync(runFiles(directory).config, 'utf8'), ({ reason }) => new Error(reason));
    return isPlainObject(value) ? flat(value) : undefined;
  } catch {
    return undefined;
  }
}

/** Those that are not what they are where nothing is given; of the model all, whose defaults are its plugin's. */
export function notDefault(settings: FlatSettings): FlatSettings {
  const required = { experimentName: 'a', modelPlugin: 'a', datasetPlugin: 'a', dataPath: 'a' };
  const defaults = flat(ExperimentConfig.parse(required));
  const isDefault = (name: string, value: unknown) =>
    !(name in required) && name in defaults && JSON.stringify(defaults[name]) === JSON.stringify(value);
  return Object.fromEntries(Object.entries(settings).filter(([name, value]) => !isDefault(name, value)));
}

/** The settings that are not the same in all runs, with the value of each run. */
export function differing(all: readonly FlatSettings[]): Record<string, unknown[]> {
  const names = new Set(all.flatMap(Object.keys));
  const rows = [...names].map((name) => [name, all.map((settings) => settings[name])] as const);
  return Object.fromEntries(
    rows.filter(([, values]) => new Set(values.map((value) => JSON.stringify(value))).size > 1),
  );
}

function flat(value: object, prefix = ''): FlatSettings {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, entry]: [string, unknown]) =>
      isPlainObject(entry) ? Object.entries(flat(entry, `${prefix}${key}.`)) : [[`${prefix}${key}`, entry]],
    ),
  );
}
