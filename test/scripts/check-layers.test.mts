import { expect } from 'chai';
import { runNode, temporaryFolder, writeFiles } from './sandbox.mjs';

const check = (files: Record<string, string>) =>
  runNode(['scripts/check-layers.mjs', writeFiles(temporaryFolder(), files)], process.env);

describe('scripts/check-layers.mjs', () => {
  it('accepts imports that point down', async () => {
    const { status, output } = await check({
      'nn/linear.ts': "import { AiforgeError } from '../errors.js';\nimport {\n  Tensor,\n} from '../tensor/index.js';",
      'tensor/index.ts': "export * from './tensor.js';",
      'tensor/tensor.ts': "import { native } from '../native.js';",
    });
    expect(output).to.equal('4 imports keep to the layers, without a cycle\n');
    expect(status).to.equal(0);
  });

  it('names an import that points up, a type or a lazy one as well', async () => {
    const { status, output } = await check({
      'tensor/a.ts': "import { Module } from '../nn/module.js';",
      'tensor/b.ts': "import type { Module } from '../nn/module.js';",
      'config/c.ts': "const core = await import('../core/index.js');",
      'errors.ts': "// import { log } from './log.js';\nexport { log } from './log.js';",
    });
    expect(status).to.equal(1);
    expect(output).to.include('4 import problems');
    expect(output).to.include(
      'tensor/a.ts imports nn/module.ts: tensor may import only native, errors, log, warnOnce, atomicFile',
    );
    expect(output).to.include('tensor/b.ts imports nn/module.ts');
    expect(output).to.include('config/c.ts imports core/index.ts');
    expect(output).to.include('errors.ts imports log.ts: errors may import only brand, stack');
  });

  it('names a cycle of values, and lets types and lazy imports close one', async () => {
    const harmless = {
      'nn/c.ts': "import { type D } from './d.js';",
      'nn/d.ts': "import { c } from './c.js';",
      'nn/e.ts': "const f = () => require('./f.js');",
      'nn/f.ts': "import './e.js';",
    };
    expect(await check(harmless)).to.have.property('status', 0);
    const { status, output } = await check({
      ...harmless,
      'tensor/a.ts': "import { b } from './b.js';",
      'tensor/b.ts': "import { a, type A } from './a.js';",
    });
    expect(status).to.equal(1);
    expect(output).to.include('1 import problems').and.to.include('cycle: tensor/a.ts -> tensor/b.ts -> tensor/a.ts');
  });

  it('does not know a folder that is in no layer', async () => {
    const { output } = await check({ 'misc/a.ts': "import '../errors.js';" });
    expect(output).to.include('misc is no known layer');
  });
});
