// Writes the tables of docs/configuration.md and docs/launching.md out of the schemas and the types that they describe;
// test/docs/configuration.test.mts and test/docs/launching.test.mts check that they are up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import prettier from 'prettier';
import ts from 'typescript';
import { z } from 'zod';
import { isMain } from './provision/main.mjs';
import { projectRoot } from './provision/paths.mjs';

const pages = ['configuration', 'launching'];
const load = createRequire(import.meta.url);

const fileOf = (name) => join(projectRoot, 'docs', `${name}.md`);

/** A page with its tables, each after a comment such as `<!-- table: settings -->`, as they are to be. */
export async function documentedPage(name) {
  const tables = allTables();
  const page = fileOf(name);
  const text = readFileSync(page, 'utf8').replace(
    /(<!-- table: (\S+) -->)[\s\S]*?(?=<!-- end -->)/g,
    (_, opening, table) => `${opening}\n\n${tables[table]()}\n\n`,
  );
  return prettier.format(text, { ...(await prettier.resolveConfig(page)), filepath: page });
}

function allTables() {
  const { ExperimentConfig, Settings, SchedulerConfig, SimpleNNConfig, TransformerConfig } = {
    ...load('../dist/lib/index.js'),
    ...load('../dist/lib/config/settings.js'),
  };
  return {
    settings: () => settingsTable(schemaOf(ExperimentConfig)),
    schedules: () => schedules(schemaOf(SchedulerConfig)),
    simple_nn: () => settingsTable(schemaOf(SimpleNNConfig), 'model.'),
    transformer: () => settingsTable(schemaOf(TransformerConfig), 'model.'),
    environment: () => settingsTable(schemaOf(Settings)),
    changes: () => changesTable(),
    options: () => membersTable('lib/core/orchestrator.ts', 'OrchestratorOptions'),
    events: () => events(),
    counters: () => membersTable('lib/core/callbacks/callback.ts', 'Counters'),
    launch: () => membersTable('lib/distributed/launch/options.ts', 'LaunchOptions'),
    rendezvous: () => membersTable('lib/distributed/launch/rendezvousConf.ts', 'RendezvousConf'),
    ranks: () => membersTable('lib/core/ranks.ts', 'Ranks'),
  };
}

const schemaOf = (schema) => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });

/** A row for each setting, those of nested mappings under their paths. */
function settingsTable(schema, prefix = '') {
  return table(['setting', 'what it may be', 'default', 'meaning'], settings(schema, prefix));
}

function settings(schema, prefix) {
  const required = new Set(schema.required);
  return Object.entries(schema.properties).flatMap(([name, field]) => {
    if (field.properties !== undefined) return settings(field, `${prefix}${name}.`);
    const fallback = required.has(name) ? 'must be given' : shown(field.default);
    return [[`\`${prefix}${name}\``, kindOf(field), fallback, meaningOf(field)]];
  });
}

const shown = (value) => (value === undefined ? 'not set' : `\`${JSON.stringify(value)}\``);

/** The description, without the default that stands in a column of its own. */
const meaningOf = ({ description = '' }) => description.replace(/[;:,] default:? .*$/, '');

const isSafeBound = (value) => Math.abs(value) === Number.MAX_SAFE_INTEGER;

function kindOf(field) {
  const options = (field.anyOf ?? field.oneOf)?.map(kindOf);
  if (options !== undefined) return [...new Set(options)].join(', or ');
  if (field.const !== undefined) return shown(field.const);
  if (field.enum !== undefined) return field.enum.map(shown).join(', ');
  switch (field.type) {
    case 'integer':
      return `a whole number${boundsOf(field)}`;
    case 'number':
      return `a number${boundsOf(field)}`;
    case 'string':
      return field.format === 'uri' ? 'an address' : 'a text';
    case 'boolean':
      return '`true` or `false`';
    case 'null':
      return '`null`';
    case 'array':
      return `a list: ${kindOf(field.items)}`;
    default:
      return field.properties?.name === undefined ? 'a mapping' : 'a schedule';
  }
}

function boundsOf({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }) {
  return [
    minimum !== undefined && !isSafeBound(minimum) ? `, at least ${minimum}` : '',
    exclusiveMinimum === undefined ? '' : `, above ${exclusiveMinimum}`,
    maximum !== undefined && !isSafeBound(maximum) ? `, at most ${maximum}` : '',
    exclusiveMaximum === undefined ? '' : `, below ${exclusiveMaximum}`,
  ].join('');
}

function schedules(schema) {
  const byName = (schema.oneOf ?? schema.anyOf).map((option) => [option.properties.name.const, option]);
  return byName
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([
        name,
        {
          properties: { name: _, ...properties },
          required,
        },
      ]) => {
        const others = { properties, required };
        return `#### ${name}\n\n${settingsTable(others)}`;
      },
    )
    .join('\n\n');
}

/** Settings of one fate are in one row. */
function changesTable() {
  const { resumeRules } = load('../dist/lib/core/runs/changes.js');
  const rows = new Map();
  for (const [setting, means] of resumeRules) {
    const name = setting.includes(' ') ? setting : `\`${setting}\``;
    rows.set(means, [...(rows.get(means) ?? []), name]);
  }
  return table(
    ['setting', 'when it differs'],
    [...rows].map(([means, names]) => [names.join(', '), means]),
  );
}

/** The methods of a callback, and once what each kind of event has. */
function events() {
  const source = parse('lib/core/callbacks/callback.ts');
  const methods = membersOf(source, 'Callback');
  const kinds = [...new Set(methods.flatMap(({ type }) => /: (\w+)\) => (?:unknown|void)$/.exec(type)?.[1] ?? []))];
  const fields = kinds
    .filter((kind) => isInterface(source, kind))
    .map((kind) => `#### ${kind}\n\n${table(['field', 'type', 'meaning'], fieldsOf(source, kind).map(row))}`);
  return [table(['method', 'type', 'meaning'], methods.map(row)), ...fields].join('\n\n');
}

const isInterface = (source, name) => declarationOf(source, name) !== undefined;

function declarationOf(source, name) {
  return source.statements.find((statement) => ts.isInterfaceDeclaration(statement) && statement.name.text === name);
}

/** The members of an interface, those that it inherits first, but for the counters that all events have. */
function fieldsOf(source, name) {
  const parents = (declarationOf(source, name).heritageClauses ?? []).flatMap(({ types }) =>
    types.map(({ expression }) => expression.text).filter((parent) => parent !== 'Counters'),
  );
  return [...parents.flatMap((parent) => fieldsOf(source, parent)), ...membersOf(source, name)];
}

function membersTable(file, name) {
  return table(['name', 'type', 'meaning'], membersOf(parse(file), name).map(row));
}

const row = ({ name, type, comment }) => [`\`${name}\``, `\`${type}\``, comment];

function parse(file) {
  return ts.createSourceFile(file, readFileSync(join(projectRoot, file), 'utf8'), ts.ScriptTarget.Latest, true);
}

/** The members of an interface, with their types as they are written and their doc comments. */
function membersOf(source, interfaceName) {
  return declarationOf(source, interfaceName).members.map((member) => {
    const [comment] = ts.getJSDocCommentsAndTags(member);
    const text = ts.getTextOfJSDocComment(comment?.comment) ?? '';
    const parameters = member.parameters?.map((parameter) => parameter.getText(source)).join(', ');
    const type = member.type.getText(source).replace(/\s+/g, ' ');
    return {
      name: member.name.text,
      type: parameters === undefined ? type : `(${parameters}) => ${type}`,
      comment: text.replace(/\s+/g, ' '),
    };
  });
}

function table(header, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

if (isMain(import.meta.url)) {
  for (const name of pages) writeFileSync(fileOf(name), await documentedPage(name));
}
