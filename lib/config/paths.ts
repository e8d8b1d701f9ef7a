import { resolve } from 'node:path';
import type { ExperimentConfig } from './experimentConfig.js';

/** Whether a text is a path: it says where it points by its first characters. Everything else is a name. */
export function isPath(text: string): boolean {
  return !text.includes('\0') && /^(\.{0,2}\/|\.{1,2}$)/.test(text);
}

/** Whether a text says by a scheme where something is, as `npm:<package>` does. */
export function isAddress(text: string): boolean {
  return /^[a-z]+:/.test(text);
}

/** What `training.resumeFrom` may say in the place of a path: the newest run of the experiment. */
export const resumeWords = ['last', 'best', 'auto'] as const;
export type ResumeWord = (typeof resumeWords)[number];

export const isResumeWord = (text: string | null): text is ResumeWord =>
  (resumeWords as readonly (string | null)[]).includes(text);

/** The settings that may be paths, by their path in the configuration. */
type PathSetting = readonly ['modelPlugin' | 'datasetPlugin' | 'dataPath'] | readonly ['training', 'resumeFrom'];

/** The configuration with absolute paths; `baseOf` says for a setting which folder its path is relative to. */
export function resolvePaths(config: ExperimentConfig, baseOf: (setting: PathSetting) => string): ExperimentConfig {
  const absolute = (name: 'modelPlugin' | 'datasetPlugin' | 'dataPath') =>
    isPath(config[name]) ? resolve(baseOf([name]), config[name]) : config[name];
  const { resumeFrom } = config.training;
  return {
    ...config,
    modelPlugin: absolute('modelPlugin'),
    datasetPlugin: absolute('datasetPlugin'),
    dataPath: absolute('dataPath'),
    training: {
      ...config.training,
      // A checkpoint has no name: it is a path, however it is written.
      resumeFrom:
        resumeFrom === null || isResumeWord(resumeFrom)
          ? resumeFrom
          : resolve(baseOf(['training', 'resumeFrom']), resumeFrom),
    },
  };
}
