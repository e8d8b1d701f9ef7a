import * as aiforge from 'aiforge';
import * as transforms from 'aiforge/transforms';
import { data, nn, ones, optim, tensor, type Tensor } from 'aiforge';
import * as preprocessing from 'aiforge/preprocessing';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import ts from 'typescript';

export type Constructor = new (...args: unknown[]) => object;

/** A public class as its types declare it. */
export interface Declared {
  name: string;
  make: Constructor;
  /** What is given by position. */
  parameters: { name: string; type: string; isRequired: boolean; isRest: boolean }[];
  /** The types of its options by name; null where it takes none. */
  options: Map<string, string> | null;
  /** What its types have of methods that everybody may call. */
  methods: string[];
}

/** Optimizers, schedulers and the like are made anew for each class: some write into what they are given. */
const parameter = (): Tensor => new nn.Parameter(ones([2, 2]));
const optimizer = (): optim.Optimizer => new optim.SGD([parameter()], { lr: 0.1, momentum: 0.9 });
const scheduler = (of: optim.Optimizer): optim.lrScheduler.LRScheduler => new optim.lrScheduler.StepLR(of, 2);

// Before anything changes the working directory.
const fixtures = path.resolve('test/fixtures');

let folders: string | undefined;
let folderCount = 0;

/** A new folder of its own, which is gone at the end of the process. */
function newFolder(): string {
  if (folders === undefined) {
    const made = mkdtempSync(path.join(tmpdir(), 'public-classes-'));
    process.on('exit', () => rmSync(made, { recursive: true, force: true }));
    folders = made;
  }
  return path.join(folders, String(folderCount++));
}

let shards: string | undefined;

function shardFolder(): string {
  if (shards === undefined) {
    shards = newFolder();
    const writer = new data.ShardWriter(shards);
    for (let label = 0; label < 4; ++label) writer.add({ label });
    writer.close();
  }
  return shards;
}

/** Arguments of classes for which those made by type do not fit together. */
const fitting: Record<string, () => unknown[]> = {
  'nn.AdaptiveLogSoftmaxWithLoss': () => [8, 20, [5, 10]],
  'nn.FractionalMaxPool2d': () => [2, { outputSize: 3 }],
  'nn.FractionalMaxPool3d': () => [2, { outputSize: 3 }],
  'nn.utils.parametrize.ParametrizationList': () => [[new Halved()], ones([2])],
  'nn.utils.rnn.PackedSequence': () => [ones([3]), tensor([2, 1])],
  'nn.ConstantPad3d': () => [1, 0.5],
  'nn.Fold': () => [4, 2],
  'nn.TransformerDecoder': () => [new nn.TransformerDecoderLayer(4, 2), 1],
  'nn.TransformerEncoder': () => [new nn.TransformerEncoderLayer(4, 2, { batchFirst: true }), 1],
  'nn.Transformer': () => [{ dModel: 4, nhead: 2, numEncoderLayers: 1, numDecoderLayers: 1 }],
  'nn.LSTM': () => [4, 4],
  'optim.lrScheduler.OneCycleLR': () => [optimizer(), 0.1, { totalSteps: 10 }],
  'optim.lrScheduler.ChainedScheduler': () => [[scheduler(optimizer())]],
  'optim.lrScheduler.SequentialLR': () => {
    const own = optimizer();
    return [own, [scheduler(own), scheduler(own)], [2]];
  },
  'data.TensorDataset': () => [ones([2])],
  'data.StackDataset': () => [
    [
      [1, 2],
      ['a', 'b'],
    ],
  ],
  'transforms.GaussianBlur': () => [3],
  'transforms.Lambda': () => [(x: Tensor) => x],
  'transforms.LinearTransformation': () => [ones([4, 4]), ones([4])],
  'transforms.RandomResize': () => [4, 5],
  'transforms.ScaleJitter': () => [[4, 4]],
  'data.ImageFolder': () => [path.join(fixtures, 'images')],
  'data.SqlReader': () => [{ prepare: () => ({}) }, 'SELECT 1'],
  'data.NpyReader': () => [path.join(fixtures, 'rows.npy')],
  'data.TextFolder': () => [path.join(fixtures, 'texts')],
  'preprocessing.FeatureHasher': () => [{ nFeatures: 4 }],
  'preprocessing.TargetEncoder': () => [{ target: 'y' }],
  'preprocessing.Pipeline': () => [[['scale', new preprocessing.StandardScaler()]]],
  'preprocessing.ColumnTransformer': () => [[['scale', new preprocessing.StandardScaler(), ['x']]]],
  'data.ShardWriter': () => [newFolder()],
  'data.ShardedDataset': () => [shardFolder()],
  'data.DistributedSampler': () => [4, { numReplicas: 2, rank: 0 }],
};

class Halved extends nn.Module {
  forward(x: Tensor): Tensor {
    return x.div(2);
  }
}

/** An argument by the text of its type. */
const samples: [type: RegExp, make: () => unknown][] = [
  [/^Parameters \|/, () => [parameter()]],
  [/^Optimizer/, optimizer],
  [/Schedule\b/, () => () => 1],
  [/^(number|S|AnySize|Size\d|Padding\d|AdaptiveSize\d|Rate .*|number \|.*)$/, () => 4],
  [/^Tensor$|readonly number\[\] \| Tensor/, () => ones([4])],
  [/^(M|Module)$/, () => new nn.Linear(2, 2)],
  [/^(readonly number\[\]|Iterable<number>)$/, () => [1, 2]],
  [/^(Dataset|Samples|Source)<.*>$/, () => [1, 2, 3]],
  [/^readonly Stream<.*>\[\]$/, () => [[1, 2], [3]]],
  [/^Lengths$/, () => [3, 1, 2]],
  [/^readonly Samples<.*>\[\]$/, () => [[1, 2], [3]]],
  [/^(CropSize|Padding)( \| null)?$/, () => 4],
  [/^DType$/, () => 'float32'],
  [/^readonly Step\[\]$/, () => [new nn.Identity()]],
  [/^Sampler$/, () => new data.SequentialSampler(4)],
  [/^Iterable<|Named<|^T \|/, () => []],
  [/NormOrder/, () => 2],
  [/^string( \| readonly string\[\])?$/, () => 'a file'],
  [/^TableColumns$/, () => ({ city: ['Oslo'] })],
  [/TokenizerJson/, () => preprocessing.trainBpe(['a'], { vocabSize: 256 })],
];

function sample({ name, type }: Declared['parameters'][number], owner: string): unknown {
  const found = samples.find(([pattern]) => pattern.test(type));
  if (found === undefined) throw new Error(`${owner}: there is no sample for ${name}: ${type}`);
  return found[1]();
}

/** Arguments by position that make an instance, and the options that must be given with them. */
export function argumentsOf({ name, parameters }: Declared): [args: unknown[], options: object] {
  const args = fitting[name]?.() ?? [];
  const isOptions = args.length > 0 && Object.getPrototypeOf(args.at(-1)) === Object.prototype;
  const options = isOptions ? (args.pop() as object) : {};
  const rest = parameters.slice(args.length).filter(({ isRequired }) => isRequired);
  return [[...args, ...rest.map((each) => sample(each, name))], options];
}

/** What follows arguments that leave out those which may be. */
export const padded = ({ parameters }: Declared, args: unknown[]): unknown[] => [
  ...args,
  ...parameters.slice(args.length).filter(({ isRest }) => !isRest).map(() => undefined), // prettier-ignore
];

function optionsOf(checker: ts.TypeChecker, symbol: ts.Symbol): Map<string, string> | null {
  const declaration = symbol.valueDeclaration as ts.ParameterDeclaration;
  const type = checker.getNonNullableType(checker.getTypeAtLocation(declaration));
  if (checker.isArrayLikeType(type) || type.isClass() || type.getCallSignatures().length > 0) return null;
  if (!/Options|Settings|PackedOrder|\{/.test(declaration.type?.getText() ?? '')) return null;
  if (/Parameters \||Iterable/.test(declaration.type?.getText() ?? '')) return null;
  const text = (property: ts.Symbol): string =>
    checker.typeToString(checker.getTypeOfSymbolAtLocation(property, declaration), undefined, ts.TypeFormatFlags.None);
  return new Map(type.getProperties().map((property) => [property.name, text(property)]));
}

const isHidden = (member: ts.Symbol): boolean =>
  member.getJsDocTags().some(({ name }) => name === 'internal') ||
  (member.declarations ?? []).some(
    (each) => ts.getCombinedModifierFlags(each) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected),
  );

function methodsOf(checker: ts.TypeChecker, symbol: ts.Symbol): string[] {
  return checker
    .getDeclaredTypeOfSymbol(symbol)
    .getProperties()
    .filter((member) => !/^(__|#)/.test(member.name) && !isHidden(member))
    .filter((member) => checker.getTypeOfSymbol(member).getCallSignatures().length > 0)
    .map(({ name }) => name);
}

function declared(checker: ts.TypeChecker, name: string, symbol: ts.Symbol, make: Constructor): Declared {
  const [signature] = checker.getTypeOfSymbolAtLocation(symbol, symbol.valueDeclaration!).getConstructSignatures();
  const parameters = [...(signature?.parameters ?? [])];
  const last = parameters.at(-1);
  const options = last === undefined ? null : optionsOf(checker, last);
  if (options !== null) parameters.pop();
  return {
    name,
    make,
    options,
    methods: methodsOf(checker, symbol),
    parameters: parameters.map((parameter) => {
      const declaration = parameter.valueDeclaration as ts.ParameterDeclaration;
      const isRest = declaration.dotDotDotToken !== undefined;
      return {
        name: parameter.name,
        type: declaration.type?.getText() ?? checker.typeToString(checker.getTypeAtLocation(declaration)),
        isRequired: !isRest && declaration.initializer === undefined && declaration.questionToken === undefined,
        isRest,
      };
    }),
  };
}

/** The classes that can be made which a module exports, those in its namespaces too. */
function classesOf(checker: ts.TypeChecker, module: ts.Symbol, prefix: string, values: object): Declared[] {
  return checker.getExportsOfModule(module).flatMap((item) => {
    const symbol = item.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(item) : item;
    const declaration = symbol.valueDeclaration ?? symbol.declarations?.[0];
    const value: unknown = Reflect.get(values, item.name);
    const name = prefix === '' ? item.name : `${prefix}.${item.name}`;
    if (declaration === undefined || value === undefined) return [];
    if (ts.isSourceFile(declaration)) return classesOf(checker, symbol, name, value as object);
    if (!ts.isClassDeclaration(declaration) || ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Abstract) return []; // prettier-ignore
    // A handle is what registering a hook gives, and a summary what `summary` gives: nobody makes one.
    return /Handle$|Summary$/.test(name) ? [] : [declared(checker, name, symbol, value as Constructor)];
  });
}

/** The classes that aiforge exports and that can be made, those of its namespaces too, with what their types declare. */
export function publicClasses(): Declared[] {
  const modules: [file: string, prefix: string, values: object][] = [
    [path.resolve('lib/index.ts'), '', aiforge],
    [path.resolve('lib/transforms/index.ts'), 'transforms', transforms],
    [path.resolve('lib/preprocessing/index.ts'), 'preprocessing', preprocessing],
  ];
  const program = ts.createProgram(
    modules.map(([file]) => file),
    {
      module: ts.ModuleKind.Node16,
      moduleResolution: ts.ModuleResolutionKind.Node16,
      target: ts.ScriptTarget.ES2022,
      strict: true,
    },
  );
  const checker = program.getTypeChecker();
  return modules.flatMap(([file, prefix, values]) =>
    classesOf(checker, checker.getSymbolAtLocation(program.getSourceFile(file)!)!, prefix, values),
  );
}
