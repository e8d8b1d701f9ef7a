import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { runInThisContext } from 'node:vm';
import ts from 'typescript';

interface Example {
  file: string;
  line: number;
  code: string;
}

/** The code of every `@example` in a source file's doc comments, without the comment's margin. */
function examplesOf(file: string): Example[] {
  const source = readFileSync(file, 'utf8');
  const found: Example[] = [];
  for (const comment of source.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    const text = comment[0].replace(/\s*\*\/$/, '').replace(/^[ \t]*\* ?/gm, '');
    for (const [i, part] of text.split(/^@example[^\n]*\n/m).entries()) {
      if (i === 0) continue;
      const code = part
        .split(/^@\w+/m)[0]!
        .replace(/^```\w*$/gm, '')
        .trim();
      found.push({ file, line: source.slice(0, comment.index).split('\n').length, code });
    }
  }
  return found;
}

/** An expression statement with a value in its trailing comment prints that value, so that it can be compared. */
function withChecks(code: string): string {
  return code
    .split('\n')
    .map((line) => {
      const [, expression, value] =
        /^([\w$][^=]*?(?:\([^=]*\))?[^=;]*);\s*\/\/ (-?[\d[{'].*|true|false|null)$/.exec(line) ?? [];
      if (expression === undefined || /^(const|let|import|for|if|return|await)\b/.test(expression)) return line;
      let expected: unknown;
      try {
        expected = runInThisContext(`(${value!.replace(/, (as|in) PyTorch.*$/, '')})`);
      } catch {
        return line;
      }
      return `__same(${expression}, ${JSON.stringify(expected)});`;
    })
    .join('\n');
}

const check = `import { deepStrictEqual as __deep } from 'node:assert';
const __same = (actual, expected) => __deep(JSON.parse(JSON.stringify(actual)), expected);
`;

const folder = path.resolve('build/examples');
const sources = readdirSync('lib', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.includes('generated'))
  .map((name) => path.join('lib', name))
  .sort();
const examples = sources.flatMap(examplesOf);

// What the launcher would set for a single rank.
async function rankEnvironment(): Promise<NodeJS.ProcessEnv> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return { RANK: '0', LOCAL_RANK: '0', WORLD_SIZE: '1', MASTER_ADDR: '127.0.0.1', MASTER_PORT: String(port) };
}

/** What went wrong in each script; nothing for one that ran. */
type Problems = Record<string, string>;

const runner = `import { writeFileSync } from 'node:fs';
const problems = {};
for (const script of process.argv.slice(2)) {
  problems[script] = await import('./' + script).then(() => '', (error) => String(error?.stack ?? error));
}
writeFileSync(process.argv[2] + '.json', JSON.stringify(problems));
`;

/** Runs examples one after the other in a process of their own. */
async function run(some: readonly (Example & { script: string })[]): Promise<Problems> {
  for (const { script, code } of some) {
    const { outputText } = ts.transpileModule(withChecks(code), {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    writeFileSync(path.join(folder, script), check + outputText);
  }
  const scripts = some.map(({ script }) => script);
  const isDistributed = some.some(({ file }) => file.includes('distributed'));
  const { status, stderr } = spawnSync(process.execPath, ['runner.mjs', ...scripts], {
    encoding: 'utf8',
    env: { ...process.env, ...(isDistributed ? await rankEnvironment() : {}), OMP_NUM_THREADS: '1' },
    cwd: folder,
  });
  if (status !== 0) return Object.fromEntries(scripts.map((script) => [script, `status ${status}: ${stderr}`]));
  return JSON.parse(readFileSync(path.join(folder, `${scripts[0]!}.json`), 'utf8')) as Problems;
}

describe('examples in doc comments', () => {
  before(() => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    cpSync('experiments', path.join(folder, 'experiments'), { recursive: true });
    symlinkSync(path.resolve('plugins'), path.join(folder, 'plugins'));
    writeFileSync(path.join(folder, 'runner.mjs'), runner);
  });

  it('are there', () => {
    expect(examples.length).to.be.greaterThan(20);
  });

  for (const file of new Set(examples.map((example) => example.file))) {
    describe(file, () => {
      const ofFile = examples.flatMap((example, i) =>
        example.file === file ? [{ ...example, script: `${i}.mjs` }] : [],
      );
      let problems: Problems;
      before(async () => {
        // Process groups are begun once in a process.
        const runs = file.includes('distributed') ? ofFile.map((example) => [example]) : [ofFile];
        problems = Object.assign({}, ...(await Promise.all(runs.map(run)))) as Problems;
      });
      for (const { line, script } of ofFile) {
        it(`line ${line}`, () => {
          expect(problems[script], script).to.equal('');
        });
      }
    });
  }
});
