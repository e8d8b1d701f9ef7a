import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';

interface Entry {
  name: string;
  isInDatabase: boolean;
  index: number;
}

interface Result {
  name: string;
  samples: number;
  gradients: number;
  tensors: number;
  failed: number;
  failures: { message: string }[];
}

interface Supervise {
  listModules(python: string): Promise<{ entries: Entry[]; names: Record<string, string[]> }>;
  runModules(python: string, entries: Entry[], print: () => void): Promise<Result[]>;
}

describe('scripts/parity/modules/supervise.mjs', () => {
  let supervise: Supervise;
  before(async () => {
    const file = path.resolve('scripts/parity/modules/supervise.mjs');
    supervise = (await import(pathToFileURL(file).href)) as Supervise;
  });

  it('builds modules in Python and here, and compares what they compute', async function () {
    const python = process.env.AIFORGE_REFERENCE_PYTHON;
    if (python === undefined) {
      console.log('      skipped: AIFORGE_REFERENCE_PYTHON is not set; run `npm test -- --reference`');
      this.skip();
    }
    this.timeout(120_000);
    const { entries, names } = await supervise.listModules(python);
    expect(entries.filter(({ isInDatabase }) => isInDatabase)).to.have.length(114);
    expect(names['torch.optim']).to.include('AdamW');
    const chosen = entries.filter(({ name }) => name === 'Linear' || name === 'Container');
    const [container, linear] = await supervise.runModules(python, chosen, () => undefined);
    expect(container).to.include({ name: 'Container', samples: 0 });
    expect(linear).to.deep.include({ name: 'Linear', samples: 6, gradients: 6, failed: 0, failures: [] });
    expect(linear!.tensors).to.equal(48);
  });

  it('counts a class as failed whose process ends', async () => {
    const entry = { name: 'Linear', isInDatabase: true, index: 0 };
    const [result] = await supervise.runModules('/bin/false', [entry], () => undefined);
    expect(result).to.include({ name: 'Linear', failed: 1 });
    expect(result!.failures[0]!.message).to.match(/the process ended with status/);
  });
});
