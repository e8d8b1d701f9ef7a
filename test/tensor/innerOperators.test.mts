import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { ops } from '#lib/index.js';

interface Refusal {
  code: string;
  message: string;
}

/** What a process of its own says of operators: those it refuses, before and after it opts in. */
function asked(names: string[], script = ''): (Refusal | 'given')[] {
  const source = `
    const { ops } = require('aiforge');
    const ask = (name) => {
      try { return typeof ops.aten(name) === 'function' && 'given'; } catch ({ code, message }) { return { code, message }; }
    };
    ${script}
    console.log(JSON.stringify(${JSON.stringify(names)}.map(ask)));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', source], { encoding: 'utf8' });
  expect(stderr).to.equal('');
  return JSON.parse(stdout) as (Refusal | 'given')[];
}

const inner = ['_softmax', 'aten::_softmax', 'native_layer_norm_backward', 'mkldnn_convolution', 'quantized_lstm_cell'];

describe('operators that are no public functions', () => {
  it('are refused with what to call instead', () => {
    const refused = asked([...inner, 'slice.Tensor', 'quantized::linear']) as Refusal[];
    for (const { code } of refused) expect(code).to.equal('OPERATOR_UNSAFE');
    expect(refused[0]!.message).to.match(/'_softmax'.* Use softmax, or call ops\.unsafe\(\) first/);
    expect(refused[5]!.message).to.contain('Use the public function that it is a step of, or call ops.unsafe()');
  });

  it('are given once the process opts in, in all its threads', () => {
    expect(asked(inner, 'ops.unsafe();')).to.deep.equal(inner.map(() => 'given'));
    const worker = `
      require('aiforge').ops.unsafe();
      const { Worker } = require('node:worker_threads');
      const inside = "require('node:worker_threads').parentPort.postMessage(require('aiforge').ops.aten('_softmax').name)";
      new Worker(inside, { eval: true }).once('message', () => console.log('given'));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', worker], { encoding: 'utf8' });
    expect([stdout, stderr]).to.deep.equal(['given\n', '']);
  });

  it('are those that no namespace of Python has, in place or not', () => {
    const offered = [
      'add',
      'add_',
      'copy',
      'copy_',
      'linalg_eigh',
      'fft_rfft',
      'special_erf',
      'conv2d',
      'gelu',
      'to_mkldnn',
    ];
    expect(asked(offered)).to.deep.equal(offered.map(() => 'given'));
    expect(() => ops.aten('no_such_operator'))
      .to.throw()
      .with.property('code', 'UNKNOWN_OPERATOR');
  });
});
