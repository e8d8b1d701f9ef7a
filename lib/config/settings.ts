import { z } from 'zod';
import { logLevels } from '../log.js';
import { validate } from './validate.js';
import { kind, optional } from '../kinds.js';
import { isOptions, signature } from '../signature.js';

const httpUrl = z.url({ protocol: /^https?$/, error: 'expected an http:// or https:// address' });

/** What the environment may set. An empty variable counts as not set. */
export const Settings = z.object({
  LOG_LEVEL: z.enum(logLevels).default('silent').describe('What the log shows; default silent'),
  DATA_DIR: z.string().default('./data').describe('Folder of the data sets; default ./data'),
  TEST_DATA_DIR: z.string().default('./data/test').describe('Folder of the data that tests make; default ./data/test'),
  RUNS_DIR: z.string().default('./runs').describe('Folder that gets one folder a run; default ./runs'),
  MLFLOW_TRACKING_URI: httpUrl.optional().describe('Address of an MLflow server, http or https; default: no MLflow'),
  AIFORGE_STACK: z
    .enum(['user', 'full'])
    .optional()
    .describe("The frames that errors show: `full` has the library's own too; default: from your line on"),
});
export type Settings = z.infer<typeof Settings>;

const readTakes = signature({
  env: optional(kind('an object of variables', (value) => value === process.env || isOptions(value))),
});

/** Reads the settings from an environment. Throws `CONFIG_INVALID`, which names the variable, its value and what it may be. */
export function readSettings(env: Record<string, string | undefined> = process.env): Settings {
  readTakes.check('readSettings', arguments);
  const given: Record<string, string> = {};
  for (const name of Object.keys(Settings.shape)) {
    const value = env[name];
    if (value !== undefined && value !== '') given[name] = name === 'LOG_LEVEL' ? value.toLowerCase() : value;
  }
  return validate(Settings, given, { source: 'the environment' });
}

let current: Settings | undefined;
const read = (): Settings => (current ??= readSettings());

/** The settings of this process, read from `process.env` when the first of them is asked for. */
export const settings: Readonly<Settings> = {
  get LOG_LEVEL() {
    return read().LOG_LEVEL;
  },
  get DATA_DIR() {
    return read().DATA_DIR;
  },
  get TEST_DATA_DIR() {
    return read().TEST_DATA_DIR;
  },
  get RUNS_DIR() {
    return read().RUNS_DIR;
  },
  get MLFLOW_TRACKING_URI() {
    return read().MLFLOW_TRACKING_URI;
  },
  get AIFORGE_STACK() {
    return read().AIFORGE_STACK;
  },
};
