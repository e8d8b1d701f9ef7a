import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { AiforgeError, errorCodes, ones, TensorDisposedError, type ErrorCode } from 'aiforge';

function sources(folder: string, ending: RegExp): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name) && !name.includes('generated') && name !== 'errors.ts')
    .map((name) => readFileSync(path.join(folder, name), 'utf8'))
    .join('\n');
}

describe('error codes', () => {
  const codes = Object.keys(errorCodes);
  const typescript = sources('lib', /\.ts$/) + sources('scripts/locate', /\.cjs$/);
  const native = sources('native', /\.(cc|h)$/);
  const sections = readFileSync('docs/errors.md', 'utf8').split(/^## /m).slice(1);

  it('are those of the documentation, with the same words', () => {
    const documented = sections.map((section) => {
      const [, code, meaning] = /^(\w+)\n\n(.+)\n/.exec(section) ?? [];
      return [code, meaning];
    });
    expect(documented).to.deep.equal(Object.entries(errorCodes));
  });

  it('have an example and an advice each', () => {
    for (const section of sections) expect(section).to.match(/^- \*\*Example\*\*: .+\n- \*\*What to do\*\*: .+/m);
  });

  it('are those of the types', () => {
    expectTypeOf<ErrorCode>().toEqualTypeOf<keyof typeof errorCodes>();
    expectTypeOf<AiforgeError['code']>().toEqualTypeOf<ErrorCode>();
    const declared = /errorCodes: \{([^}]*)\}/.exec(readFileSync('dist/lib/errors.d.ts', 'utf8'))![1]!;
    expect([...declared.matchAll(/readonly (\w+):/g)].map(([, code]) => code)).to.deep.equal(codes);
  });

  it('are all raised somewhere', () => {
    const raised = (code: string) => typescript.includes(`'${code}'`) || native.includes(`"${code}"`);
    expect(codes.filter((code) => !raised(code))).to.deep.equal([]);
    // TensorDisposedError carries its code itself.
    expect(raised('NO_SUCH_CODE')).to.equal(false);
  });

  it('are the only ones that C++ raises', () => {
    const thrown = [...native.matchAll(/\bError\(\s*"([A-Z_]+)"/g), ...native.matchAll(/return \{\s*"([A-Z_]+)",/g)];
    expect(thrown.length).to.be.greaterThan(20);
    for (const [, code] of thrown) expect(codes).to.include(code);
  });
});

describe('AiforgeError', () => {
  const failing = () => ones([2, 3]).matmul(ones([2, 3]));
  const caught = (use: () => unknown): AiforgeError => {
    try {
      use();
    } catch (error) {
      return error as AiforgeError;
    }
    throw new Error('nothing was thrown');
  };

  it('has a stack that begins at the caller’s line, with its name and message', () => {
    const { stack, message } = caught(failing);
    expect(stack).to.match(/^AiforgeError: aten::matmul\(/);
    const frames = stack!.slice(`AiforgeError: ${message}`.length).split('\n').slice(1);
    expect(frames[0]).to.match(/at failing .*errors\.test\.m[jt]s:\d+:\d+/);
    expect(frames.length).to.be.greaterThan(1);
  });

  it('shows all frames on request', () => {
    const run = (AIFORGE_STACK: string) => {
      const script =
        "const { ones } = require('aiforge'); try { ones([2]).add(ones([3])) } catch (e) { console.log(e.stack) }";
      return spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', env: { AIFORGE_STACK } }).stdout;
    };
    expect(run('full')).to.match(/dist\/lib\/tensor\/generated/);
    expect(run('')).to.not.match(/dist\/lib/);
    expect(run('')).to.match(/\n {4}at \[eval\]:1:\d+\n/);
  });

  it('keeps to Error.stackTraceLimit, and to what Error.prepareStackTrace makes', () => {
    const { stackTraceLimit } = Error;
    const prepareStackTrace: unknown = Reflect.get(Error, 'prepareStackTrace');
    try {
      Error.stackTraceLimit = 1;
      expect(caught(failing).stack!.match(/^ {4}at /gm)).to.have.length(1);
      Error.stackTraceLimit = 0;
      caught(failing);
      Error.stackTraceLimit = stackTraceLimit;
      Error.prepareStackTrace = () => 'mine';
      expect(caught(failing).stack).to.match(/mine|AiforgeError/);
    } finally {
      Object.assign(Error, { stackTraceLimit, prepareStackTrace });
    }
  });

  it('takes null for no details', () => {
    expect(new AiforgeError('OPERATOR_FAILED', 'x', null)).to.deep.include({
      code: 'OPERATOR_FAILED',
      op: undefined,
      args: [],
    });
    expect(new TensorDisposedError('x', null)).to.have.property('code', 'TENSOR_DISPOSED');
  });

  it('can be shown, cloned, and given another stack', () => {
    const error = caught(failing);
    expect(inspect(error)).to.include('AiforgeError: aten::matmul').and.include("code: 'OPERATOR_FAILED'");
    expect(JSON.parse(JSON.stringify(error))).to.deep.include({ code: 'OPERATOR_FAILED', op: 'aten::matmul' });
    expect(Object.keys(error)).to.not.include('stack');
    expect((structuredClone(error) as Error).message).to.equal(error.message);
    error.stack = 'other';
    expect(error.stack).to.equal('other');
    const cause = new RangeError('under');
    expect(new AiforgeError('FILE_INVALID', 'x', { cause })).to.deep.include({ cause, args: [] });
    expect(new TensorDisposedError('x').stack).to.match(/^TensorDisposedError: x\n/);
  });

  it('keeps the whole stack where the user has no line in it', () => {
    const script = `
      process.once('uncaughtException', ({ stack }) => console.log(stack));
      process.nextTick(require('aiforge').ones, 'x');`;
    const { stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    expect(stdout).to.match(/^AiforgeError: [^]*dist\/lib\/tensor/);
  });
});
