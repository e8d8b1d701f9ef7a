import { expect } from 'chai';
import path from 'node:path';
import ts from 'typescript';

const file = path.resolve('test/types/hovered.ts');
const text = `
import { ones } from '#lib/tensor/index.js';
const x = ones([2, 2]);
x.add(1);
x.sum();
x.sum({ dim: 1 });
x.softmax(1);
x.max();
x.max(1);
x.mul_(2);
`;

/** What an editor shows of the method that is called at a place in the text. */
function hover(service: ts.LanguageService, call: string): { signature: string; doc: string } {
  const info = service.getQuickInfoAtPosition(file, text.indexOf(call) + 'x.'.length)!;
  return { signature: ts.displayPartsToString(info.displayParts), doc: ts.displayPartsToString(info.documentation) };
}

describe('what an editor shows of an operator', () => {
  let service: ts.LanguageService;
  before(function () {
    this.timeout(60_000);
    const { config } = ts.readConfigFile('tsconfig.base.json', (name) => ts.sys.readFile(name)) as { config: object };
    const options = ts.convertCompilerOptionsFromJson((config as { compilerOptions: object }).compilerOptions, '.').options; // prettier-ignore
    const read = (name: string): string | undefined => (name === file ? text : ts.sys.readFile(name));
    service = ts.createLanguageService({
      getCompilationSettings: () => options,
      getScriptFileNames: () => [file],
      getScriptVersion: () => '1',
      getScriptSnapshot: (name) => {
        const content = read(name);
        return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content);
      },
      getCurrentDirectory: () => process.cwd(),
      getDefaultLibFileName: (given) => ts.getDefaultLibFilePath(given),
      fileExists: (name) => name === file || ts.sys.fileExists(name),
      readFile: read,
      directoryExists: (name) => ts.sys.directoryExists(name),
      getDirectories: (name) => ts.sys.getDirectories(name),
    });
  });

  it('is the form that is called, and what it does in a sentence', () => {
    const add = hover(service, 'x.add(1)');
    expect(add.signature).to.match(/add\(other: Tensor \| Scalar, options\?: \{/);
    expect(add.doc).to.match(/^`x \+ alpha \* other`, element by element\./);
    const softmax = hover(service, 'x.softmax(1)');
    expect(softmax.signature).to.match(/softmax\(dim: number \| bigint, dtype\?/);
    expect(softmax.doc).to.match(/^The exponentials along `dim` as shares of their sum\./);
    expect(hover(service, 'x.mul_(2)').doc).to.match(/^In place: `x \* other`/);
  });

  it('begins with the form that has all parameters', () => {
    for (const call of ['x.sum()', 'x.sum({ dim: 1 })']) {
      const { signature, doc } = hover(service, call);
      expect(signature, call).to.match(/sum\((dim\?: .*keepdim\?: boolean|options\?: \{\s*dim\?)/s);
      expect(doc, call).to.match(/^The sum of all elements, or of those along `dim`\./);
    }
  });

  it('has no schema of another form', () => {
    expect(hover(service, 'x.max()').doc)
      .to.match(/`max\(Tensor self\) -> Tensor`/)
      .and.not.to.match(/max\.dim/);
    expect(hover(service, 'x.max(1)').doc)
      .to.match(/`max\.dim\(/)
      .and.not.to.match(/`max\(Tensor self\)/);
  });
});
