import { mkdtempSync, rmSync, statfsSync, statSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import path from 'node:path';

import { load, loadSafetensors, save, saveSafetensors, scope, zeros, type Tensor } from 'aiforge';
import { expect } from 'chai';

// More bytes than the system reads or writes at once.
const COUNT = 2 ** 31 + 2 ** 20 + 5;
const GIB = 2 ** 30;

describe('a tensor of more than 2 GiB', function () {
  this.timeout(600_000);
  let folder: string;
  before(function () {
    folder = mkdtempSync(path.join(tmpdir(), 'aiforge-test-'));
    const { bavail, bsize } = statfsSync(folder);
    // The tensor, the one that is read, and what compares them; the file, and the one beside it.
    const [memory, disk] = [freemem() / GIB, (bavail * bsize) / GIB];
    if (memory >= 7 && disk >= 6) return;
    console.log(
      `      skipped: ${memory.toFixed(1)} GiB of memory and ${disk.toFixed(1)} of disk are free, needs 7 and 6`,
    );
    this.skip();
  });
  after(() => rmSync(folder, { recursive: true }));

  const formats: [name: string, write: (file: string, x: Tensor) => void, read: (file: string) => Tensor][] = [
    ['data.pt', (file, x) => save({ x }, file), (file) => load<{ x: Tensor }>(file).x],
    ['data.safetensors', (file, x) => saveSafetensors(file, { x }), (file) => loadSafetensors(file).tensors.x!],
  ];
  for (const [name, write, read] of formats) {
    it(`is written to ${name} and read`, () => {
      scope(() => {
        const x = zeros([COUNT], { dtype: 'uint8' });
        for (const [at, value] of [[0, 1], [2 ** 31 - 1, 2], [2 ** 31, 3], [COUNT - 1, 4]] as const) x.at(at).fill_(value); // prettier-ignore
        const file = path.join(folder, name);
        write(file, x);
        expect(statSync(file).size).to.be.greaterThan(COUNT);
        const found = read(file);
        rmSync(file);
        expect(found.shape).to.deep.equal([COUNT]);
        expect(found.equal(x)).to.equal(true);
      });
    });
  }
});
