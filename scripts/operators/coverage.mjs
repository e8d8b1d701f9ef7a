// Writes docs/coverage.md: which of LibTorch's operators and of Python's public names aiforge has, and why it lacks the others.
// `--check` only compares. Fails for a name that is absent without a reason in reasons.json.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { isMain, ProvisionError, runMain } from '../provision/main.mjs';
import { projectRoot } from '../provision/paths.mjs';
import { camelCase, readPythonNames } from './schemas.mjs';

const require = createRequire(import.meta.url);
const dist = join(projectRoot, 'dist', 'lib');
const file = join(projectRoot, 'docs', 'coverage.md');

/** How many schemas `ops.aten` calls, and those that it refuses, with the reason. */
function schemaCoverage() {
  const { ops } = require(join(dist, 'tensor', 'calls', 'operators.js'));
  const { Kind, readSchema } = require(join(dist, 'tensor', 'calls', 'schema.js'));
  const { unsupportedReason } = require(join(dist, 'tensor', 'calls', 'refusal.js'));
  const names = ops.schemas().map((schema) => /^aten::([^(]+)\(/.exec(schema)[1]);
  ops.unsafe();
  const kinds = { arguments: new Map(), results: new Map() };
  const refused = [];
  for (const name of names.sort()) {
    if (typeof ops.aten(name) !== 'function') throw new ProvisionError(`ops.aten('${name}') is no function`);
    const schema = readSchema(name);
    const reason = unsupportedReason(schema);
    if ((reason === undefined) !== schema.isCallable) throw new ProvisionError(`${name}: reason and refusal disagree`);
    if (reason !== undefined) refused.push({ name, reason });
    else {
      count(kinds.arguments, schema.parameters, Kind);
      count(kinds.results, schema.returns, Kind);
    }
  }
  return { names, total: names.length, refused, kinds };
}

function count(into, values, Kind) {
  for (const { kind, isList } of values) {
    const name = Kind[kind] + (isList ? '[]' : '');
    into.set(name, (into.get(name) ?? 0) + 1);
  }
}

/** Whether a property is there only to say what to write instead. */
function isRefused(owner, name) {
  const { get } = Object.getOwnPropertyDescriptor(owner, name) ?? {};
  try {
    return get !== undefined && get.call(require(join(dist, 'index.js')).ones([1])) === undefined;
  } catch {
    return false;
  }
}

/** The names of one of Python's namespaces, and those of them that are absent, with the reason. */
function nameCoverage(namespace, names, reasons) {
  const library = require(join(dist, 'index.js'));
  const owner = { torch: library, Tensor: library.Tensor.prototype }[namespace] ?? library[namespace];
  const absent = names.filter((name) => !(camelCase(name) in owner) || isRefused(owner, camelCase(name)));
  const unexplained = absent.filter((name) => !reasons.some((entry) => entry[namespace]?.includes(name)));
  return { namespace, total: names.length, absent, unexplained };
}

const percent = (part, total) => `${((100 * part) / total).toFixed(1)} %`;

function namesSection({ namespace, absent }, reasons) {
  if (absent.length === 0) return '';
  const owner = namespace === 'Tensor' ? 'torch.Tensor' : namespace === 'torch' ? 'torch' : `torch.${namespace}`;
  const entries = reasons
    .map(({ reason, [namespace]: names = [] }) => [names.filter((name) => absent.includes(name)), reason])
    .filter(([names]) => names.length > 0)
    .map(([names, reason]) => `- ${names.map((name) => `\`${name}\``).join(', ')}: ${reason}`);
  return `## Absent from \`${owner}\`\n\n${entries.join('\n')}\n`;
}

/** The refused schemas, one line a reason. */
function grouped(refused) {
  const names = new Map();
  for (const { name, reason } of refused) names.set(reason, [...(names.get(reason) ?? []), `\`${name}\``]);
  return [...names].map(([reason, list]) => `- ${list.join(', ')}: ${reason}.`).join('\n');
}

const kindsText = (kinds) => [...kinds].sort(([a], [b]) => a.localeCompare(b)).map(([kind, times]) => `${kind} ${times}`).join(', '); // prettier-ignore

/** How many operators, and schemas of them, are offered without `ops.unsafe()`. */
function reach(schemas) {
  const { publicOperators } = require(join(dist, 'tensor', 'generated', 'reach.js'));
  const bases = schemas.names.map((name) => name.replace(/\..*$/, ''));
  const offered = (list) => list.filter((base) => publicOperators.has(base)).length;
  return [[...new Set(bases)], bases].map((list) => ({ offered: offered(list), total: list.length }));
}

function page(schemas, namespaces, reasons, version) {
  const callable = schemas.total - schemas.refused.length;
  const [named, all] = reach(schemas);
  const rows = namespaces.map(({ namespace, total, absent }) => {
    const has = total - absent.length;
    return `| ${namespace === 'torch' ? 'functions of `torch`' : `\`torch.${namespace}\``} | ${has} | ${total} | ${percent(has, total)} |`;
  });
  return `# Coverage

Written by \`npm run coverage:operators\` from the linked LibTorch and from the names that Python's torch ${version} has.

| what | here | in PyTorch | |
| --- | --: | --: | --: |
| \`aten::\` schemas that \`ops.aten\` resolves | ${schemas.total} | ${schemas.total} | ${percent(schemas.total, schemas.total)} |
| of them, whose arguments and results all have values in JavaScript | ${callable} | ${schemas.total} | ${percent(callable, schemas.total)} |
| operators that are public in Python, in any overload | ${named.offered} | ${named.total} | ${percent(named.offered, named.total)} |
| schemas of these | ${all.offered} | ${all.total} | ${percent(all.offered, all.total)} |
${rows.join('\n')}

\`ops.aten\` gives what is public in Python: under a name of torch, torch.Tensor, torch.nn.functional, linalg, fft, special or sparse,
without a leading underscore. The rest are steps of others, gradients and parts of one backend, which take their arguments
unchecked: they fail with \`OPERATOR_UNSAFE\` until \`ops.unsafe()\` opens them to the process.

Names follow one rule: Python's in camelCase, a trailing \`_\` stays. Every function and method has its types from the schema.

Kinds of arguments, and how often schemas have them: ${kindsText(schemas.kinds.arguments)}.

Kinds of results: ${kindsText(schemas.kinds.results)}.

## Schemas that \`ops.aten\` refuses

They fail with \`INVALID_ARGUMENT\` before anything is called.

${grouped(schemas.refused)}

${namespaces
  .map((coverage) => namesSection(coverage, reasons))
  .filter(Boolean)
  .join('\n')}`;
}

/** The text of docs/coverage.md for what is built; throws when a name is absent without a reason. */
export async function coveragePage() {
  const reasons = JSON.parse(readFileSync(new URL('reasons.json', import.meta.url), 'utf8'));
  const { version, public: names } = readPythonNames();
  const namespaces = Object.entries(names).map(([namespace, list]) => nameCoverage(namespace, list, reasons));
  const unexplained = namespaces.flatMap((n) => n.unexplained.map((name) => `${n.namespace}.${name}`));
  if (unexplained.length > 0) {
    throw new ProvisionError(`absent without a reason in scripts/operators/reasons.json: ${unexplained.join(', ')}`);
  }
  const text = page(schemaCoverage(), namespaces, reasons, version);
  return format(text, { ...(await resolveConfig(file)), parser: 'markdown' });
}

async function main() {
  const text = await coveragePage();
  if (!process.argv.includes('--check')) return writeFileSync(file, text);
  if (readFileSync(file, 'utf8') !== text) {
    throw new ProvisionError('docs/coverage.md is out of date; run `npm run coverage:operators`.');
  }
}

if (isMain(import.meta.url)) await runMain(main);
