import { AiforgeError, data, nn, ones, optim, tensor, type Tensor } from 'aiforge';
import { expect } from 'chai';
import path from 'node:path';
import ts from 'typescript';

type Constructor = new (...args: unknown[]) => object;

/** A public class as its types declare it. */
interface Declared {
  name: string;
  make: Constructor;
  /** What is given by position. */
  parameters: { name: string; type: string; isRequired: boolean; isRest: boolean }[];
  /** The types of its options by name; null where it takes none. */
  options: Map<string, string> | null;
}

const root = path.resolve('lib');
const folders = { nn, optim, data } as unknown as Record<string, Record<string, unknown>>;

/** Optimizers, schedulers and the like are made anew for each class: some write into what they are given. */
const parameter = (): Tensor => new nn.Parameter(ones([2, 2]));
const optimizer = (): optim.Optimizer => new optim.SGD([parameter()], { lr: 0.1, momentum: 0.9 });
const scheduler = (of: optim.Optimizer): optim.lrScheduler.LRScheduler => new optim.lrScheduler.StepLR(of, 2);

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
  [/^(Dataset|Samples)<.*>$/, () => [1, 2, 3]],
  [/^Sampler$/, () => new data.SequentialSampler(4)],
  [/^Iterable<|Named<|^T \|/, () => []],
  [/NormOrder/, () => 2],
];

function sample({ name, type }: Declared['parameters'][number], owner: string): unknown {
  const found = samples.find(([pattern]) => pattern.test(type));
  if (found === undefined) throw new Error(`${owner}: there is no sample for ${name}: ${type}`);
  return found[1]();
}

/** Arguments by position that make an instance, and the options that must be given with them. */
function argumentsOf({ name, parameters }: Declared): [args: unknown[], options: object] {
  const args = fitting[name]?.() ?? [];
  const isOptions = args.length > 0 && Object.getPrototypeOf(args.at(-1)) === Object.prototype;
  const options = isOptions ? (args.pop() as object) : {};
  const rest = parameters.slice(args.length).filter(({ isRequired }) => isRequired);
  return [[...args, ...rest.map((each) => sample(each, name))], options];
}

/** What follows arguments that leave out those which may be. */
const padded = ({ parameters }: Declared, args: unknown[]): unknown[] => [
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

function declared(checker: ts.TypeChecker, name: string, symbol: ts.Symbol, make: Constructor): Declared {
  const [signature] = checker.getTypeOfSymbolAtLocation(symbol, symbol.valueDeclaration!).getConstructSignatures();
  const parameters = [...signature!.parameters];
  const last = parameters.at(-1);
  const options = last === undefined ? null : optionsOf(checker, last);
  if (options !== null) parameters.pop();
  return {
    name,
    make,
    options,
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
    const declaration = symbol.declarations?.[0];
    const value: unknown = Reflect.get(values, item.name);
    const name = `${prefix}.${item.name}`;
    if (declaration === undefined || value === undefined) return [];
    if (ts.isSourceFile(declaration)) return classesOf(checker, symbol, name, value as object);
    if (!ts.isClassDeclaration(declaration) || ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Abstract) return []; // prettier-ignore
    // A handle is what registering a hook gives, and a summary what `summary` gives: nobody makes one.
    return /Handle$|Summary$/.test(name) ? [] : [declared(checker, name, symbol, value as Constructor)];
  });
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

describe('the constructor of every public class of nn, optim and data', () => {
  let classes: Declared[];

  before(function () {
    this.timeout(60_000);
    const program = ts.createProgram(
      Object.keys(folders).map((folder) => path.join(root, folder, 'index.ts')),
      { module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16, target: ts.ScriptTarget.ES2022, strict: true }, // prettier-ignore
    );
    const checker = program.getTypeChecker();
    classes = Object.entries(folders).flatMap(([folder, values]) => {
      const module = checker.getSymbolAtLocation(program.getSourceFile(path.join(root, folder, 'index.ts'))!)!;
      return classesOf(checker, module, folder, values);
    });
  });

  /** What is wrong with calls that must be refused, each with what the error must say. */
  const accepted: string[] = [];
  function refused(name: string, attempt: () => unknown, message: RegExp): void {
    try {
      attempt();
      accepted.push(`${name} is accepted`);
    } catch (error) {
      const isRight = error instanceof AiforgeError && error.code === 'INVALID_ARGUMENT' && message.test(error.message);
      if (!isRight) accepted.push(`${name} says ${String(error)}`);
    }
  }
  beforeEach(() => void (accepted.length = 0));
  const noneAccepted = (): void => void expect(accepted).to.deep.equal([]);

  it('makes an instance of arguments by type, with all options undefined too', () => {
    expect(classes.length).to.be.greaterThan(200);
    for (const each of classes) {
      const [args, options] = argumentsOf(each);
      new each.make(...padded(each, args), ...(each.options === null ? [] : [options]));
      const unset = Object.fromEntries([...(each.options?.keys() ?? [])].map((option) => [option, undefined]));
      if (each.options !== null) new each.make(...padded(each, argumentsOf(each)[0]), { ...unset, ...options });
    }
  });

  it('refuses an argument too many', () => {
    for (const each of classes) {
      const [args, options] = argumentsOf(each);
      const given = [...padded(each, args), ...(each.options === null ? [] : [options]), 'extra'];
      refused(`${each.name}(…, 'extra')`, () => new each.make(...given), /extra/);
    }
    noneAccepted();
  });

  it('refuses to do without an argument that it needs, and one of a wrong kind', () => {
    for (const each of classes) {
      const [args] = argumentsOf(each);
      each.parameters.forEach(({ name, isRequired }, i) => {
        if (!isRequired) return;
        refused(`${each.name} without ${name}`, () => new each.make(...args.slice(0, i)), new RegExp(`\\b${name}\\b`));
        const wrong = args.with(i, Symbol('wrong'));
        refused(`${each.name} with ${name} of a wrong kind`, () => new each.make(...wrong), /Symbol\(wrong\)/);
      });
    }
    noneAccepted();
  });

  it('refuses an option that there is not, and says what Python’s name is here', () => {
    for (const each of classes) {
      if (each.options === null) continue;
      const [args, options] = argumentsOf(each);
      const make = (more: object): unknown => new each.make(...padded(each, args), { ...options, ...more });
      refused(`${each.name}({ noSuchThing })`, () => make({ noSuchThing: 1 }), /has no option 'noSuchThing'/);
      for (const option of each.options.keys()) {
        if (snakeCase(option) === option || option.startsWith('_')) continue;
        const message = new RegExp(`has no option '${snakeCase(option)}'\\. Did you mean '${option}'\\?`);
        refused(`${each.name}({ ${snakeCase(option)} })`, () => make({ [snakeCase(option)]: 1 }), message);
      }
    }
    noneAccepted();
  });

  it('refuses what is no object of options', () => {
    for (const each of classes) {
      if (each.options === null) continue;
      const [args] = argumentsOf(each);
      for (const wrong of [0.5, true, false, 'same', null, [1], ones([1]), new nn.Tanh(), () => 1]) {
        const name = `${each.name}(…, ${String(wrong)})`;
        refused(name, () => new each.make(...padded(each, args), wrong), /expected an options object/);
      }
    }
    noneAccepted();
  });

  it('refuses a value of a wrong kind for each option', () => {
    for (const each of classes) {
      if (each.options === null) continue;
      const [args, options] = argumentsOf(each);
      for (const [option, type] of each.options) {
        const attempt = (value: unknown) => () => new each.make(...padded(each, args), { ...options, [option]: value });
        const message = new RegExp(`\\b${option} must be `);
        refused(`${each.name}({ ${option}: Symbol() })`, attempt(Symbol('wrong')), message);
        if (/\bnumber\b/.test(type)) refused(`${each.name}({ ${option}: NaN })`, attempt(NaN), message);
        if (/^(number|boolean)( \| null)? \| undefined$/.test(type)) {
          refused(`${each.name}({ ${option}: 'no' })`, attempt('no'), message);
        }
      }
    }
    noneAccepted();
  });

  it('works for a class of a user that passes its arguments on', () => {
    for (const each of classes) {
      const [args, options] = argumentsOf(each);
      class Own extends each.make {}
      class Passing extends each.make {
        constructor(...given: unknown[]) {
          super(...given);
        }
      }
      const given = each.options === null ? args : [...padded(each, args), options];
      for (const Class of [Own, Passing]) expect(new Class(...given), each.name).to.be.instanceOf(each.make);
    }
  });
});
