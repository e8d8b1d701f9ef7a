import type { Alias, Document, LineCounter, Pair, Scalar, YAMLError, YAMLMap } from 'yaml';

import type { Place } from './origin.js';
import { lineCounter, parseDocument, yaml } from './yamlLibrary.js';

/** What a YAML text holds. */
export interface YamlText {
  value: unknown;
  /** Where the deepest node on a path of keys stands that the text holds; undefined where it holds none of it. */
  placeOf: (path: Path) => Places | undefined;
}

type Path = readonly PropertyKey[];

/** Where an entry stands: its value, and its key if it is a mapping's. */
interface Places {
  key?: Place;
  value: Place;
}

/** Why a text cannot be taken, and where: line and column from 1. */
export interface YamlProblem {
  line: number;
  column: number;
  reason: string;
  cause?: unknown;
}

interface Fault {
  offset: number;
  reason: string;
  cause?: unknown;
}

export interface ReadOptions {
  /** Whether a text is meant at a path, with the value that is there: it is read as it is written. */
  isText?: (path: Path, value: unknown) => boolean;
  /** What errors call the text. Default: `'YAML'`. */
  language?: 'YAML' | 'JSON';
}

/** What a file is written in, by its name: JSON is YAML too. */
export const languageOf = (file: string): 'YAML' | 'JSON' => (file.endsWith('.json') ? 'JSON' : 'YAML');

/**
 * Reads one YAML 1.2 document, with merge keys (`<<`) and keys that are texts as they are written. Values arrive as they are
 * meant or not at all: a number that JavaScript would round, one with leading zeros, an unknown tag, dates and bytes are refused,
 * as are circular aliases. `refuse` makes the error.
 */
export function readYamlText(
  text: string,
  refuse: (problem: YamlProblem) => Error,
  { isText, language = 'YAML' }: ReadOptions = {},
): YamlText {
  const lines = lineCounter();
  const fail = ({ offset, reason, cause }: Fault): never => {
    const { line, col: column } = lines.linePos(offset);
    throw refuse({ line, column, reason, cause });
  };
  const deep = tooDeepAt(text);
  if (deep !== undefined) {
    parseLines(text, lines);
    fail({ offset: deep, reason: 'nested too deeply to be read' });
  }
  const document = parseDocument(text, { lineCounter: lines, merge: true, stringKeys: true });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) fail({ offset: problem.pos[0], reason: reasonOf(problem, language), cause: problem });
  if (isText !== undefined) takeTexts(document, isText);
  const fault = findFault(document);
  if (fault !== undefined) fail(fault);
  return { value: toJS(document, fail), placeOf: (path) => placeOf(document, lines, path) };
}

function reasonOf({ message }: YAMLError, language: string): string {
  return `not valid ${language}: ${message.split('\n')[0]}`;
}

// As everywhere else (lib/depth.ts); a document and its contents come before the first level.
const deepest = 500 + 2;

/**
 * Where a text is nested deeper than any that is meant, which is known without recursion; undefined where it is not. Composing such
 * a text ends the stack, and the process where V8 is compiling a regular expression then.
 */
function tooDeepAt(text: string): number | undefined {
  if (text.length < deepest) return undefined;
  const { Lexer, Parser } = yaml();
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) void token;
    if (parser.stack.length > deepest) return parser.offset;
  }
  return undefined;
}

/** Has the counter know the lines, which otherwise the parser tells it. */
function parseLines(text: string, lines: LineCounter): void {
  lines.addNewLine(0);
  for (const { index } of text.matchAll(/\n/g)) lines.addNewLine(index + 1);
}

function takeTexts(document: Document.Parsed, isText: (path: Path, value: unknown) => boolean): void {
  yaml().visit(document, {
    Scalar: (key, node, ancestors) => {
      if (key === 'key' || typeof node.value === 'string') return;
      if (isText(pathOf(node, ancestors), node.value)) node.value = node.source ?? '';
    },
  });
}

/** The keys and indices that lead to a node. */
function pathOf(node: unknown, ancestors: readonly unknown[]): PropertyKey[] {
  const { isPair, isScalar, isSeq } = yaml();
  return ancestors.flatMap((ancestor, index): PropertyKey[] => {
    if (isSeq(ancestor)) return [ancestor.items.indexOf(ancestors[index + 1] ?? node)];
    return isPair(ancestor) && isScalar(ancestor.key) ? [String(ancestor.key.value)] : [];
  });
}

function toJS(document: Document.Parsed, fail: (fault: Fault) => never): unknown {
  try {
    return document.toJS() as unknown;
  } catch (error) {
    // Aliases that multiply beyond all bounds show only here.
    return fail({ offset: 0, reason: `not valid YAML: ${(error as Error).message}`, cause: error });
  }
}

/** The first node that is valid YAML and has no right value here. */
function findFault(document: Document.Parsed): Fault | undefined {
  let found: Fault | undefined;
  const { visit, isNode } = yaml();
  const at = (node: unknown, reason: string | undefined): symbol | undefined => {
    if (reason === undefined) return undefined;
    found = { offset: (isNode(node) && node.range?.[0]) || 0, reason };
    return visit.BREAK;
  };
  visit(document, {
    Scalar: (key, node) => (key === 'key' ? undefined : at(node, faultOfScalar(node))),
    Alias: (_, node, ancestors) => at(node, faultOfAlias(node, document, ancestors)),
    Pair: (_, pair) => at(pair.key, faultOfMerge(pair, document)),
  });
  return found;
}

function faultOfScalar({ value, source = '' }: Scalar): string | undefined {
  if (value === null || ['string', 'boolean'].includes(typeof value)) return undefined;
  if (typeof value !== 'number')
    return `'${source}' is a date or bytes, which settings cannot hold; write it as a text`;
  return faultOfNumber(source, value);
}

/** Why a number that is written so is not the number that it is read as, if it is not. */
function faultOfNumber(source: string, value: number): string | undefined {
  if (/^[-+]?0\d/.test(source)) {
    return `${source} begins with a zero; write ${String(value)} for the number, or '${source}' for a text`;
  }
  if (/^([-+]?\d+|0x[\dA-Fa-f]+|0o[0-7]+)$/.test(source) && BigInt(source) !== BigInt(value)) {
    return `${source} is too large to be kept exactly and would become ${BigInt(value)}; write '${source}' for a text`;
  }
  if (!Number.isFinite(value) && !/inf|nan/i.test(source)) return `${source} is larger than any number`;
  return undefined;
}

function faultOfAlias(alias: Alias, document: Document, ancestors: readonly unknown[]): string | undefined {
  const target = alias.resolve(document);
  if (target === undefined) {
    return `the alias *${alias.source} has no anchor &${alias.source} before it; write '*${alias.source}' for a text`;
  }
  return ancestors.includes(target) ? `the alias *${alias.source} stands within what it is an alias of` : undefined;
}

function faultOfMerge({ key, value }: Pair, document: Document): string | undefined {
  const { isAlias, isMap, isScalar, isSeq } = yaml();
  if (!isScalar(key) || key.source !== '<<' || key.type !== 'PLAIN') return undefined;
  const resolved = (node: unknown) => (isAlias(node) ? node.resolve(document) : node);
  const merged = resolved(value);
  const sources = isSeq(merged) ? merged.items.map(resolved) : [merged];
  // An alias without its anchor is found by itself.
  return sources.every((source) => source === undefined || isMap(source))
    ? undefined
    : 'the key << takes a mapping, or a list of mappings, to merge';
}

function placeOf(document: Document.Parsed, lines: LineCounter, path: Path): Places | undefined {
  const place = (node: unknown): Place | undefined => {
    const range = (node as { range?: [number, number, number] | null } | null)?.range;
    if (!range) return undefined;
    const { line, col: column } = lines.linePos(range[0]);
    return { line, column };
  };
  let found: Places | undefined;
  let node: unknown = document.contents;
  for (const key of path) {
    const entry = entryOf(node, key, document);
    if (entry === undefined) break;
    const at = place(entry.key);
    const value = place(entry.value) ?? at;
    if (value !== undefined) found = at === undefined ? { value } : { key: at, value };
    node = entry.value;
  }
  return found;
}

/** The entry of a mapping or a list, through aliases and merge keys. */
function entryOf(given: unknown, key: PropertyKey, document: Document): { key?: unknown; value: unknown } | undefined {
  const { isAlias, isMap, isSeq } = yaml();
  const node = isAlias(given) ? given.resolve(document) : given;
  if (isSeq(node)) return Number(key) in node.items ? { value: node.items[Number(key)] } : undefined;
  if (!isMap(node)) return undefined;
  const pairs = pairsOf(node);
  const own = pairs.get(String(key));
  if (own !== undefined) return own;
  const merged = pairs.get('<<')?.value;
  const sources = isSeq(merged) ? merged.items : [merged];
  for (const source of sources) {
    const entry = entryOf(source, key, document);
    if (entry !== undefined) return entry;
  }
  return undefined;
}

// Looked for once for each entry of a mapping, which may have many.
const known = new WeakMap<YAMLMap, Map<string, Pair>>();

function pairsOf(node: YAMLMap): Map<string, Pair> {
  let pairs = known.get(node);
  if (pairs === undefined) {
    const { isScalar } = yaml();
    pairs = new Map(node.items.map((pair) => [isScalar(pair.key) ? String(pair.key.value) : '', pair]));
    known.set(node, pairs);
  }
  return pairs;
}
