import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { keep, memory, nn, noGrad, ones, optim, randn, scope, zeros, type AiforgeError, type Tensor } from 'aiforge';
import { collectGarbage } from '../support/garbage.mjs';

describe('memory.stats', () => {
  it('counts tensors, and each storage once however many views it has', () => {
    scope(() => {
      const before = memory.stats();
      const base = zeros([1024], { dtype: 'float64' });
      base.view(32, 32).t();
      base.narrow(0, 0, 10).expand(5, 10);
      const after = memory.stats();
      expect(after.tensors).to.equal(before.tensors + 5);
      expect(after.bytes).to.equal(before.bytes + 8192);
    });
  });

  it('counts a view’s whole memory when the view is all that is left', () => {
    scope('view', () => {
      const base = zeros([1024], { dtype: 'float32' });
      const view = base.narrow(0, 5, 1);
      base.dispose();
      expect(view.numel()).to.equal(1);
      expect(memory.stats().scopes.at(-1)).to.deep.equal({ name: 'view', depth: 0, tensors: 1, bytes: 4096 });
    });
  });

  it('tells the open scopes apart, with their depths and what is outside', async () => {
    const kept = keep(ones([256]));
    const outside = memory.stats().outside.tensors;
    await scope('task', async () => {
      const mine = ones([512]);
      await delay(1);
      noGrad(() =>
        scope('step', () => {
          mine.view(2, 256);
          ones([16]);
          keep(ones([1]));
          scope(() => {
            const { scopes, ...all } = memory.stats();
            expect(scopes.slice(-3)).to.deep.equal([
              { name: 'task', depth: 0, tensors: 1, bytes: 2048 },
              // The view stands on memory that is counted for the scope before.
              { name: 'step', depth: 1, tensors: 2, bytes: 64 },
              { name: null, depth: 2, tensors: 0, bytes: 0 },
            ]);
            // The collector may take some of what other tests left there.
            expect(all.outside.tensors).to.be.at.most(outside + 1);
            expect(all.tensors).to.equal(all.outside.tensors + 3);
            expect(all.bytes).to.equal(all.outside.bytes + 2048 + 64);
          });
        }),
      );
    });
    expect(memory.stats().scopes.map(({ name }) => name)).to.not.include('task');
    kept.dispose();
  });

  it('remembers the most tensors that were alive', () => {
    const { peak, tensors } = memory.stats();
    expect(peak.tensors).to.be.at.least(tensors);
    scope(() => Array.from({ length: peak.tensors + 10 }, () => ones([])) && undefined);
    const after = memory.stats();
    expect(after.peak.tensors).to.be.at.least(peak.tensors + 10);
    expect(after.tensors).to.be.lessThan(after.peak.tensors);
  });
});

const held: Tensor[] = [];

function forgetful(): void {
  held.push(ones([2, 3]).add(1));
}

describe('memory.leaks', () => {
  afterEach(() => held.splice(0).forEach((one) => one.dispose()));

  it('names the lines that made what lives on, with the call, shapes and bytes', () => {
    const { tensors, bytes, leaks } = memory.leaks(() => {
      for (let i = 0; i < 3; ++i) forgetful();
      held.push(zeros([5], { dtype: 'float64' }), zeros([7], { dtype: 'float64' }));
      ones([100]).sum();
    });
    expect({ tensors, bytes }).to.deep.equal({ tensors: 5, bytes: 3 * 24 + 12 * 8 });
    expect(leaks.map(({ call, count, shapes, bytes: size }) => ({ call, count, shapes, size }))).to.deep.equal([
      // One line, two columns.
      { call: 'Tensor.add', count: 3, shapes: ['float32[2, 3]'], size: 72 },
      { call: 'zeros', count: 1, shapes: ['float64[7]'], size: 56 },
      { call: 'zeros', count: 1, shapes: ['float64[5]'], size: 40 },
    ]);
    for (const { line } of leaks) expect(line).to.match(/test\/tensor\/memory\.test\.m[jt]s:\d+:\d+$/);
    expect(leaks[1]!.line).to.not.equal(leaks[2]!.line);
  });

  it('shows the lines of the source where source maps are on', () => {
    const script = 'build/test/tensor/fixtures/leak.mjs';
    const run = (...flags: string[]) => {
      const { stdout, stderr } = spawnSync(process.execPath, [...flags, script], { encoding: 'utf8' });
      expect(stderr).to.equal('');
      return stdout.trim();
    };
    expect(run('--enable-source-maps')).to.match(/test\/tensor\/fixtures\/leak\.mts:8:45$/);
    expect(run()).to.match(/build\/test\/tensor\/fixtures\/leak\.mjs:\d+:\d+$/);
  });

  it('does not count what is released, collected, returned or made elsewhere', async () => {
    const other = (async () => {
      for (let i = 0; i < 5; ++i) {
        await delay(1);
        held.push(ones([1]));
      }
    })();
    const returned = await memory.detectLeaks(async () => {
      scope(() => ones([2]).mul(2));
      ones([3]).dispose();
      for (let i = 0; i < 100; ++i) ones([4]);
      await delay(10);
      return { y: ones([5]), list: [scope(() => ones([6]))] };
    });
    await other;
    expect(returned.y.shape).to.deep.equal([5]);
  });

  it('finds what moved out of scopes, in asynchronous code', async () => {
    const { leaks } = await memory.leaks(async () => {
      await scope(async () => {
        await delay(1);
        held.push(keep(scope(() => ones([9]).mul(2))));
      });
    });
    expect(leaks).to.have.length(1);
    expect(leaks[0]).to.deep.include({ call: 'Tensor.mul', count: 1, shapes: ['float32[9]'] });
  });

  it('knows each detector’s own tensors when they are nested', () => {
    const outer = memory.leaks(() => {
      held.push(ones([1]));
      const inner = memory.leaks(() => held.push(ones([2])));
      expect(inner.tensors).to.equal(1);
      held.push(ones([3]));
    });
    expect(outer.tensors, 'the inner detector’s are reported there').to.equal(2);
  });

  it('finds nothing in a training step whose optimizer has its state', () => {
    const model = new nn.Linear(4, 4);
    const optimizer = new optim.Adam(model.parameters());
    const step = () =>
      scope(() => {
        optimizer.zeroGrad();
        model
          .forward(randn([2, 4]))
          .sum()
          .backward();
        optimizer.step();
      });
    step();
    memory.detectLeaks(step);
  });
});

describe('memory.detectLeaks', () => {
  afterEach(() => held.splice(0).forEach((one) => one.dispose()));

  it('throws with the lines', async () => {
    const check = (use: () => unknown) => expect(use).to.throw(/2 tensors \(48 bytes\)[^]*Tensor\.add float32\[2, 3\]/);
    check(() => memory.detectLeaks(() => [1, 2].forEach(forgetful)));
    try {
      await memory.detectLeaks(async () => {
        await delay(1);
        forgetful();
      });
      expect.fail('nothing was found');
    } catch (error) {
      expect(error).to.have.property('code', 'TENSOR_LEAK');
      expect((error as AiforgeError).message).to.match(
        /1 × Tensor\.add float32\[2, 3\], 24 bytes: .*memory\.test\.m[jt]s:\d+/,
      );
    }
  });

  it('allows as many as it is told', () => {
    expect(memory.detectLeaks(() => held.push(ones([1]), ones([1])), { threshold: 2 })).to.be.a('number');
    expect(() => memory.detectLeaks(() => held.push(ones([1]), ones([1])), { threshold: 1 })).to.throw(/1 allowed/);
  });

  it('passes the body’s own error on, and is off afterwards', async () => {
    const failing = () => {
      throw new RangeError('mine');
    };
    expect(() => memory.detectLeaks(failing)).to.throw(RangeError);
    const error: unknown = await memory.detectLeaks(async () => failing()).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(RangeError);
    collectGarbage();
    expect(memory.leaks(() => 1)).to.deep.equal({ tensors: 0, bytes: 0, leaks: [] });
  });
});
