import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';

import { AiforgeError } from '../errors.js';
import { isSlipOf } from '../nearest.js';
import { show } from '../show.js';
import { isYaml, readConfigFile } from './configFile.js';
import { interpolate } from './environmentText.js';
import { ExperimentConfig } from './experimentConfig.js';
import { isMapping, showOrigin, type Origin, type Origins } from './origin.js';
import { plainCopy } from './plainCopy.js';
import { schemaAt } from './schemaShape.js';
import { typedText } from './typedText.js';
import { validate } from './validate.js';

/**
 * Reads a configuration file with those that it extends: its own settings count before theirs, and of several the last
 * counts. `extends` itself, and the `$schema` that editors read, are not in the result.
 *
 * @param chain The files that led here by `extends`.
 */
export function readWithBases(file: string, origins: Origins, chain: readonly string[] = [], said = ''): unknown {
  const own = readConfigFile(file, origins, said);
  if (!isMapping(own)) return validate(ExperimentConfig, own, { source: file });
  const path = realpathSync(file);
  if (chain.some((before) => realpathSync(before) === path)) {
    throw new AiforgeError(
      'CONFIG_INVALID',
      `${said}the files extend each other in a circle: ${[...chain, file].join(' → ')}. Take one 'extends' out.`,
    );
  }
  const slip = Object.keys(own).find((key) => key !== 'extends' && isSlipOf(key, 'extends'));
  if (slip !== undefined) {
    const place = showOrigin(origins.get(own, slip)!, 'key');
    throw new AiforgeError('CONFIG_INVALID', `${place}: ${slip}: unknown option, did you mean 'extends'?`);
  }
  const bases = basesOf(own, file, origins);
  delete own.extends;
  delete own.$schema;
  let merged: unknown = {};
  for (const { base, said: place } of bases) {
    merged = merge(merged, readWithBases(base, origins, [...chain, file], place), origins);
  }
  return merge(merged, own, origins);
}

/** The files that `extends` names, relative to the file that says it. */
function basesOf(own: Record<string, unknown>, file: string, origins: Origins): { base: string; said: string }[] {
  if (own.extends === undefined) return [];
  const origin = origins.get(own, 'extends')!;
  const [list, names] = Array.isArray(own.extends) ? [own.extends, own.extends as unknown[]] : [own, [own.extends]];
  return names.map((name, index) => {
    const at = origins.get(list, list === own ? 'extends' : index) ?? origin;
    const said = `${showOrigin(at)}: extends: `;
    const refuse = (problem: string) => new AiforgeError('CONFIG_INVALID', `${said}${problem}.`);
    if (typeof name !== 'string' || name === '') {
      throw refuse(`got ${show(name)}, expected the path of a configuration file, or a list of them`);
    }
    const written = isYaml(file) ? (interpolate(name, process.env, refuse)?.text ?? name) : name;
    return { base: isAbsolute(written) ? written : join(dirname(file), written), said };
  });
}

/**
 * Puts one configuration over another: mappings are merged, what else there is takes the other's place. So does a schedule of
 * another name, whose settings are others.
 */
export function merge(base: unknown, top: unknown, origins: Origins, path: readonly string[] = []): unknown {
  if (!isMapping(base) || !isMapping(top) || isOther(base, top, path)) return top;
  for (const [key, value] of Object.entries(top)) {
    base[key] = Object.hasOwn(base, key) ? merge(base[key], value, origins, [...path, key]) : value;
    origins.set(base, key, origins.get(top, key)!);
  }
  return base;
}

function isOther(base: Record<string, unknown>, top: Record<string, unknown>, path: readonly string[]): boolean {
  const schema = schemaAt(ExperimentConfig, path);
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return false;
  const { discriminator } = schema.def;
  return top[discriminator] !== undefined && top[discriminator] !== base[discriminator];
}

/**
 * Replaces the environment variables in what YAML and JSON files say. A text that is one variable alone is read by the schema of
 * its setting. What cannot be replaced stays, with the problem in its origin: another value may yet take its place.
 */
export function replaceVariables(root: unknown, origins: Origins, env: Record<string, string | undefined>): void {
  for (const { container, key, path, origin } of origins.entries(root)) {
    const given = (container as Record<string, unknown>)[key];
    if (typeof given !== 'string' || origin.file === undefined || !isYaml(origin.file)) continue;
    try {
      const found = interpolate(given, env, (problem) => new AiforgeError('CONFIG_INVALID', problem));
      if (found === undefined) continue;
      const { text, variables, isWhole } = found;
      const value = isWhole ? typed(text, path) : text;
      (container as Record<string, unknown>)[key] = value;
      const replaced: Origin = { ...origin, variables, ...(isWhole && { given: { text, guess: value } }) };
      origins.set(container, key, replaced);
      origins.mark(value, () => replaced);
    } catch (error) {
      origins.set(container, key, { ...origin, problem: (error as Error).message });
    }
  }
}

function typed(text: string, path: readonly PropertyKey[]): unknown {
  const setting = { schema: ExperimentConfig, path };
  const value = typedText(text, setting, (reason, cause) => new AiforgeError('CONFIG_INVALID', reason, { cause }));
  return plainCopy(value, 'its value');
}

/** Throws for the variables that are still to be replaced. */
export function checkVariables(root: unknown, origins: Origins): void {
  const lines = [...origins.entries(root)].flatMap(({ path, origin }) =>
    origin.problem === undefined ? [] : [`${showOrigin(origin)}: ${path.join('.')}: ${origin.problem}.`],
  );
  if (lines.length > 0) throw new AiforgeError('CONFIG_INVALID', lines.join('\n'));
}
