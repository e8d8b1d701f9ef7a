// A page whose snippets make a project: those with `file=` are its files, those with `run` are commands in it.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

interface Snippet {
  language: string;
  file: string | undefined;
  code: string;
}

export class DocumentedProject {
  readonly snippets: Snippet[];
  readonly folder: string;
  readonly root = process.cwd();

  /** Inside the repository, so that the packages that a user would install are found. */
  constructor(page: string, name: string) {
    const fences = /^```(\w+)(?: file=(\S+)| run)?\n([\s\S]*?)^```$/gm;
    this.snippets = Array.from(readFileSync(page, 'utf8').matchAll(fences), ([, language, file, code]) => ({
      language: language!,
      file,
      code: code!,
    }));
    this.folder = path.resolve('build', name);
  }

  /** The commands of the page, in their order. */
  get commands(): string[] {
    return this.snippets.flatMap(({ language, code }) => (language === 'sh' ? code.trim().split('\n') : []));
  }

  /** Writes the files and makes the project the working directory. */
  enter(): void {
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(path.join(this.folder, 'package.json'), JSON.stringify({ name: 'guide', private: true }));
    for (const { file, code } of this.snippets) {
      if (file === undefined) continue;
      const target = path.join(this.folder, file);
      mkdirSync(path.dirname(target), { recursive: true });
      writeFileSync(target, code);
    }
    process.chdir(this.folder);
  }

  leave(): void {
    process.chdir(this.root);
  }

  typeCheck(): void {
    const config = {
      extends: '../../tsconfig.base.json',
      compilerOptions: {
        noEmit: true,
        incremental: false,
        declaration: false,
        typeRoots: ['../../node_modules/@types'],
        paths: {
          aiforge: ['../../dist/lib/index.d.ts'],
          'aiforge/distributed': ['../../dist/lib/distributed/index.d.ts'],
          'aiforge/metrics': ['../../dist/lib/metrics/index.d.ts'],
          'aiforge/preprocessing': ['../../dist/lib/preprocessing/index.d.ts'],
          'aiforge/profiler': ['../../dist/lib/profiler/index.d.ts'],
          'aiforge/transforms': ['../../dist/lib/transforms/index.d.ts'],
        },
      },
      include: ['**/*.ts'],
    };
    writeFileSync('tsconfig.json', JSON.stringify(config));
    const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
    execFileSync(process.execPath, [tsc, '-p', 'tsconfig.json'], { encoding: 'utf8' });
  }

  /** Runs one of the commands, in a shell as a user would; gives what it prints. */
  run(command: string): string {
    const inRepository = command.replace(/^((?:\w+=\S+ )*)npx (\S+)/, (_, variables: string, bin: string) => {
      return `${variables}'${process.execPath}' '${path.join(this.root, 'dist/lib/cli', `${bin}.js`)}'`;
    });
    const env = { ...process.env, OMP_NUM_THREADS: '1', NO_COLOR: '1', RUNS_DIR: path.join(this.folder, 'runs') };
    return execFileSync('sh', ['-c', inRepository], { encoding: 'utf8', env });
  }
}
