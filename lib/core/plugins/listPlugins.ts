import { showThrown } from '../../show.js';
import { knownPlugins, loadPlugin, type KnownPlugin } from './plugins.js';
import { partsOf, type LoadedPlugin } from './plugin.js';
import { packageName, packageVersion } from './pluginPlaces.js';

/** A plugin as a list shows it; one that cannot be loaded has its error instead of its parts. */
export interface ListedPlugin {
  name: string;
  version: string | null;
  description: string | null;
  parts: string[];
  /** How it is found: registered in code, a folder of `plugins/`, or a package. */
  from: KnownPlugin['from'];
  /** Its folder; null for one that was registered in code, and for one that cannot be loaded. */
  directory: string | null;
  error: string | null;
}

/** What can be used by name in an experiment of a folder, by name. Each is loaded, as for a run; a broken one stops nothing. */
export function listPlugins(from: string): ListedPlugin[] {
  return knownPlugins(from)
    .map((known) => listed(known, from))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function listed({ name, from: origin }: KnownPlugin, from: string): ListedPlugin {
  const packaged = origin === 'package' ? packageVersion(packageName(name), from) : undefined;
  const base = { name, version: packaged ?? null, from: origin };
  let plugin: LoadedPlugin;
  try {
    plugin = loadPlugin(name, { from });
  } catch (error) {
    return {
      ...base,
      description: null,
      parts: [],
      directory: null,
      error: showThrown(error),
    };
  }
  const { metadata, directory = null } = plugin;
  return {
    ...base,
    version: metadata.version ?? base.version,
    description: metadata.description ?? null,
    parts: partsOf(plugin),
    directory,
    error: null,
  };
}
