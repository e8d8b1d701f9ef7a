import { expect } from 'chai';
import fc from 'fast-check';
import { ourName } from '#lib/config/otherNames.js';
import { didYouMean, nearest } from '#lib/nearest.js';

describe('nearest', () => {
  const names = ['epochs', 'batchSize', 'learningRate', 'valFraction', 'testFraction'];

  it('finds a name with a letter missing, added, changed or swapped', () => {
    expect(nearest('epoch', names)).to.equal('epochs');
    expect(nearest('epochss', names)).to.equal('epochs');
    expect(nearest('learningRage', names)).to.equal('learningRate');
    expect(nearest('epcohs', names)).to.equal('epochs');
  });

  it('does not mind case, underscores and hyphens', () => {
    expect(nearest('batch_size', names)).to.equal('batchSize');
    expect(nearest('LEARNING-RATE', names)).to.equal('learningRate');
  });

  it('finds a name by its beginning, and a short name from a longer one', () => {
    expect(nearest('learning', names)).to.equal('learningRate');
    expect(nearest('warning', ['error', 'warn'])).to.equal('warn');
  });

  it('finds what other libraries call otherwise', () => {
    expect(nearest('axis', ['dtype', 'dim'])).to.equal('dim');
    expect(nearest('learning_rate', ['lr', 'eps'])).to.equal('lr');
    expect(nearest('wd', ['lr', 'weightDecay'])).to.equal('weightDecay');
    expect(nearest('lr', names)).to.equal('learningRate');
    expect(nearest('beta', ['beta', 'betas'])).to.equal('beta');
  });

  it('takes the closest of several', () => {
    expect(nearest('valFractoin', names)).to.equal('valFraction');
  });

  it('suggests nothing when nothing is close', () => {
    expect(nearest('momentum', names)).to.equal(undefined);
    expect(nearest('', names)).to.equal(undefined);
    expect(nearest('epochs', [])).to.equal(undefined);
    expect(didYouMean('momentum', names)).to.equal('');
  });

  it('takes names that every object has for names', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(nearest(name, names)).to.equal(undefined);
      expect(nearest(name, [name])).to.equal(name);
      expect(ourName(name, names)).to.equal(undefined);
    }
  });

  it('finds every name itself', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{3,12}$/), { minLength: 1 }), (candidates) => {
        for (const name of candidates) expect(nearest(name, candidates)).to.equal(name);
      }),
    );
  });

  it('makes a sentence', () => {
    expect(didYouMean('epoch', names)).to.equal(" Did you mean 'epochs'?");
  });
});
