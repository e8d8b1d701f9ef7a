import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { zeros } from '#lib/index.js';

/** Tensors of one element, seen as so many. */
const wide = (...sizes: number[]) => zeros([1]).expand(sizes);

const refused = (body: () => unknown): void => {
  expect(body)
    .to.throw(/elements/)
    .with.property('code', 'OUT_OF_MEMORY');
};

describe('values of JavaScript for each element', () => {
  it('are refused where the heap has no room for them, before any is made', () => {
    refused(() => wide(2 ** 31).tolist());
    refused(() => wide(2 ** 27).tolist());
    refused(() => wide(2 ** 20, 2 ** 20).tolist());
    refused(() => wide(2 ** 28, 1).tolist());
    refused(() => zeros([2 ** 31, 0]).tolist());
    refused(() => zeros([2 ** 20, 2 ** 20, 0]).tolist());
    refused(() => wide(2 ** 31).apply_((x) => x));
    refused(() =>
      zeros([1], { dtype: 'complex64' })
        .expand([2 ** 26])
        .tolist(),
    );
  });

  it('are refused to a text that prints all of them', () => {
    const script = `
      const { setPrintOptions, zeros } = require('aiforge');
      setPrintOptions({ threshold: Infinity });
      for (const size of [2 ** 31, 2 ** 28]) try { String(zeros([1]).expand([size])); } catch ({ code }) { console.log(code); }`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    expect([stdout, stderr]).to.deep.equal(['OUT_OF_MEMORY\nOUT_OF_MEMORY\n', '']);
  });

  it('are made where there is', () => {
    expect(wide(2 ** 22).tolist()).to.have.length(2 ** 22);
  });

  it('are counted by the heap of the process', () => {
    const script = `
      const { zeros } = require('aiforge');
      const x = zeros([1]).expand([2 ** 24]);
      try { x.tolist(); console.log('made'); } catch ({ code }) { console.log(code); }`;
    const run = (megabytes: number) =>
      spawnSync(process.execPath, [`--max-old-space-size=${megabytes}`, '-e', script], { encoding: 'utf8' }).stdout;
    expect([run(64), run(1024)]).to.deep.equal(['OUT_OF_MEMORY\n', 'made\n']);
  });
});
