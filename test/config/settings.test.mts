import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect } from 'chai';
import { AiforgeError } from '#lib/errors.js';
import { readSettings } from '#lib/config/settings.js';

describe('settings', () => {
  it('has defaults, and takes an empty variable for one that is not set', () => {
    const defaults = { LOG_LEVEL: 'silent', DATA_DIR: './data', TEST_DATA_DIR: './data/test', RUNS_DIR: './runs' };
    expect(readSettings({})).to.deep.equal(defaults);
    expect(readSettings({ LOG_LEVEL: '', RUNS_DIR: '', MLFLOW_TRACKING_URI: '', OTHER: 'x' })).to.deep.equal(defaults);
  });

  it('reads every variable', () => {
    const env = {
      LOG_LEVEL: 'DEBUG',
      DATA_DIR: '/d',
      TEST_DATA_DIR: '/t',
      RUNS_DIR: '/r',
      MLFLOW_TRACKING_URI: 'http://127.0.0.1:5000/base',
      AIFORGE_STACK: 'full',
    };
    expect(readSettings(env)).to.deep.equal({ ...env, LOG_LEVEL: 'debug' });
  });

  it('names each wrong variable, its value and what it may be', () => {
    const read = () => readSettings({ LOG_LEVEL: 'warning', MLFLOW_TRACKING_URI: 'file:./x', AIFORGE_STACK: 'all' });
    expect(read)
      .to.throw(AiforgeError, /^the environment has 3 problems:/)
      .with.property('code', 'CONFIG_INVALID');
    expect(read).to.throw(/LOG_LEVEL: got 'warning', expected one of trace, .*did you mean 'warn'\?/);
    expect(read).to.throw(/MLFLOW_TRACKING_URI: got 'file:.\/x', expected an http/);
    expect(read).to.throw(/AIFORGE_STACK: got 'all', expected one of user, full/);
  });

  it('looks at process.env only when it is asked', () => {
    const script = `
      const { settings } = require(${JSON.stringify(resolve('dist/lib/config/settings.js'))});
      process.env.DATA_DIR = '/later';
      console.log(settings.DATA_DIR, settings.RUNS_DIR, settings.MLFLOW_TRACKING_URI);`;
    const { stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', env: { RUNS_DIR: '/runs' } });
    expect(stdout).to.equal('/later /runs undefined\n');
  });
});
