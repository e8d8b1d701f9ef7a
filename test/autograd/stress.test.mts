import { expect } from 'chai';
import { spawnSync } from 'node:child_process';

/** Runs a script under frequent garbage collection, outside of every scope; gives what it prints. */
function run(body: string): unknown {
  const script = `
    const { AutogradFunction, autograd, checkpoint, memory, ones } = require('./dist/lib/index.js');
    class Double extends AutogradFunction {
      static forward(ctx, x) { ctx.saveForBackward(x); ctx.own = { ctx }; return x.mul(2); }
      static backward(ctx, g) { return g.mul(2).add(ctx.savedTensors[0].mul(0)); }
    }
    (async () => {
      const x = ones([8], { requiresGrad: true });
      ${body}
      for (let i = 0; i < 5; ++i) { await new Promise((resolve) => setImmediate(resolve)); gc(); }
      await new Promise((resolve) => setImmediate(resolve));
      console.log(JSON.stringify([x.grad.sum().item(), memory.stats().tensors < 40]));
    })();`;
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ['--expose-gc', '--gc-interval=150', '-e', script],
    { encoding: 'utf8' },
  );
  expect({ status, signal, stderr }).to.deep.equal({ status: 0, signal: null, stderr: '' });
  return JSON.parse(stdout);
}

describe('autograd under frequent garbage collection', () => {
  it('runs hooks and Functions, and frees their graphs', () => {
    const printed = run(`
      for (let i = 0; i < 200; ++i) {
        const y = Double.apply(x);
        y.registerHook((g) => g.mul(2));
        const hook = x.registerPostAccumulateGradHook(() => {});
        y.sum().backward();
        hook.remove();
      }`);
    expect(printed).to.deep.equal([8 * 4 * 200, true]);
  });

  it('runs checkpoints and hooks of saved tensors', () => {
    const printed = run(`
      for (let i = 0; i < 100; ++i) {
        const inner = (t) => autograd.savedTensorsHooks((s) => [s], ([s]) => s, () => t.mul(t));
        checkpoint((t) => checkpoint(inner, Double.apply(t)), x).sum().backward();
        // exp saves its result, which keeps the graph.
        autograd.savedTensorsHooks((s) => s, (s) => s, () => x.exp());
      }`);
    expect(printed).to.deep.equal([8 * 8 * 100, true]);
  });

  it('runs many passes off the event loop', () => {
    const printed = run(`
      x.registerHook((g) => g.mul(1));
      for (let i = 0; i < 30; ++i) {
        await Promise.all([1, 2, 3].map((k) => Double.apply(x.mul(k)).sum().backwardAsync()));
      }`);
    expect(printed).to.deep.equal([8 * 2 * 6 * 30, true]);
  });
});
