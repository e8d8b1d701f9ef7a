import { expect } from 'chai';
import path from 'node:path';
import ts from 'typescript';

/** Why something public has no example of its own. */
function excuse(declaration: ts.Declaration): boolean {
  const file = declaration.getSourceFile().fileName;
  // Generated from the operators' schemas, which have none; and what only other names refer to.
  if (file.includes('/tensor/generated/') || ts.getJSDocDeprecatedTag(declaration) !== undefined) return true;
  // Runs on CUDA devices only.
  return (declaration as ts.NamedDeclaration).name?.getText() === 'scaledGroupedMm';
}

const isDocumented = (declaration: ts.Declaration): boolean =>
  ts.isClassDeclaration(declaration) || ts.isFunctionDeclaration(declaration) || ts.isVariableDeclaration(declaration);

/** The classes, functions and constants that a module exports, those in its namespaces too, by name. */
function exported(checker: ts.TypeChecker, module: ts.Symbol, prefix: string): Map<string, ts.Declaration> {
  const found = new Map<string, ts.Declaration>();
  for (const item of checker.getExportsOfModule(module)) {
    const symbol = item.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(item) : item;
    const declaration = symbol.declarations?.[0];
    const name = `${prefix}.${item.name}`;
    if (declaration === undefined) continue;
    if (ts.isSourceFile(declaration)) exported(checker, symbol, name).forEach((each, key) => found.set(key, each));
    else if (isDocumented(declaration)) found.set(name, declaration);
  }
  return found;
}

describe('every public class and function', () => {
  const root = path.resolve('lib');
  const options = { module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16 };
  let program: ts.Program;
  before(function () {
    this.timeout(60_000);
    program = ts.createProgram(
      ['nn', 'optim', 'transforms'].map((folder) => path.join(root, folder, 'index.ts')),
      { ...options, target: ts.ScriptTarget.ES2022, strict: true },
    );
  });

  for (const folder of ['nn', 'optim', 'transforms']) {
    it(`of ${folder} has an example`, () => {
      const checker = program.getTypeChecker();
      const module = checker.getSymbolAtLocation(program.getSourceFile(path.join(root, folder, 'index.ts'))!)!;
      const all = [...exported(checker, module, folder)];
      expect(all.length).to.be.greaterThan(30);
      const without = all.filter(([, declaration]) => {
        const tags = ts.getJSDocTags(declaration).map((tag) => tag.tagName.text);
        return !tags.includes('example') && !tags.includes('internal') && !excuse(declaration);
      });
      expect(without.map(([name]) => name)).to.deep.equal([]);
    });
  }
});
