import { expect } from 'chai';
import { ExperimentConfig } from '#lib/config/experimentConfig.js';
import { Container, createToken } from '#lib/core/container.js';
import { AiforgeError } from '#lib/errors.js';

const config = (experimentName: string) =>
  ExperimentConfig.parse({ experimentName, modelPlugin: 'm', datasetPlugin: 'd', dataPath: 'p' });

describe('Container', () => {
  it('gives back the configuration and the run id that were set', () => {
    const container = new Container();
    const given = config('a');
    container.experimentConfig.override(given);
    container.mlflowRunId.override('0123456789abcdef0123456789abcdef');
    expect(container.experimentConfig()).to.equal(given);
    expect(container.mlflowRunId()).to.equal('0123456789abcdef0123456789abcdef');
  });

  it('has no run id at first, and says what to do when there is no configuration', () => {
    const container = new Container();
    expect(container.mlflowRunId()).to.equal(null);
    expect(() => container.experimentConfig())
      .to.throw(AiforgeError, 'container.experimentConfig.override(config)')
      .with.property('code', 'CONFIG_INVALID');
  });

  it('makes a value once, from what it asks the container for', () => {
    const name = createToken<{ text: string }>('name');
    const container = new Container().provide(name, (c) => ({ text: c.experimentConfig().experimentName }));
    container.experimentConfig.override(config('a'));
    const first = container.get(name);
    expect(first).to.deep.equal({ text: 'a' });
    expect(container.get(name)).to.equal(first);
  });

  it('makes a value again after something was overridden', () => {
    const name = createToken<string>('name');
    const container = new Container().provide(name, (c) => c.experimentConfig().experimentName);
    container.experimentConfig.override(config('a'));
    expect(container.get(name)).to.equal('a');
    container.experimentConfig.override(config('b'));
    expect(container.get(name)).to.equal('b');
    container.provide(name, () => 'mine');
    expect(container.get(name)).to.equal('mine');
  });

  it('keeps values that are null, undefined or false', () => {
    const container = new Container();
    for (const value of [null, undefined, false, 0]) {
      const token = createToken<unknown>('value');
      let made = 0;
      container.provide(token, () => (made++, value));
      expect(container.get(token)).to.equal(value);
      expect(container.get(token)).to.equal(value);
      expect(made).to.equal(1);
    }
  });

  it('shares nothing with another container', () => {
    const [one, two] = [new Container(), new Container()];
    const token = createToken<string>('token');
    one.experimentConfig.override(config('a'));
    one.provide(token, () => 'one');
    two.experimentConfig.override(config('b'));
    expect(one.experimentConfig().experimentName).to.equal('a');
    expect(two.experimentConfig().experimentName).to.equal('b');
    expect(() => two.get(token)).to.throw(AiforgeError, "no 'token'");
  });

  it('starts with what was registered for all', () => {
    const token = createToken<string>('registered');
    Container.register(token, (container) => `for ${container.experimentConfig().experimentName}`);
    const container = new Container();
    container.experimentConfig.override(config('a'));
    expect(container.get(token)).to.equal('for a');
    container.provide(token, () => 'replaced');
    expect(container.get(token)).to.equal('replaced');
    container.reset();
    container.experimentConfig.override(config('b'));
    expect(container.get(token)).to.equal('for b');
  });

  it('names the circle when factories need each other, and works once it is broken', () => {
    const [left, right] = [createToken<string>('left'), createToken<string>('right')];
    const container = new Container().provide(left, (c) => c.get(right)).provide(right, (c) => c.get(left));
    expect(() => container.get(left)).to.throw(AiforgeError, 'left → right → left');
    container.provide(right, () => 'end');
    expect(container.get(left)).to.equal('end');
  });

  it('passes on the error of a factory and tries again the next time', () => {
    const token = createToken<string>('token');
    let ready = false;
    const container = new Container().provide(token, () => {
      if (!ready) throw new Error('not yet');
      return 'ready';
    });
    expect(() => container.get(token)).to.throw('not yet');
    ready = true;
    expect(container.get(token)).to.equal('ready');
  });

  it('forgets everything on reset and refuses to be used after dispose', () => {
    const container = new Container();
    container.experimentConfig.override(config('a'));
    container.reset();
    expect(() => container.experimentConfig()).to.throw(AiforgeError, 'override(config)');
    container.dispose();
    expect(() => container.mlflowRunId()).to.throw(AiforgeError, 'disposed container');
  });
});
