import type { LayerSummary, ModelSummary } from './summary.js';

export const columns = {
  kernelSize: 'Kernel Shape',
  inputSize: 'Input Shape',
  outputSize: 'Output Shape',
  numParams: 'Param #',
  paramsPercent: 'Param %',
  multAdds: 'Mult-Adds',
  trainable: 'Trainable',
} as const;

/** A column of the table. */
export type SummaryColumn = keyof typeof columns;

export interface TableOptions {
  readonly depth: number;
  readonly colNames: readonly SummaryColumn[];
  readonly colWidth: number;
  readonly varNames: boolean;
}

const none = '--';
const count = (value: number): string => value.toLocaleString('en-US');
const sizes = (shape: readonly number[] | null): string =>
  shape === null || shape.length === 0 ? none : `[${shape.join(', ')}]`;

function paramsOf(layer: LayerSummary, whole: boolean): number {
  return whole || layer.isLeaf ? layer.numParams : layer.leftoverParams;
}

function numParams(layer: LayerSummary, whole: boolean): string {
  if (layer.numParams === 0) return none;
  if (layer.isRecursive) return '(recursive)';
  const params = paramsOf(layer, whole);
  if (params <= 0) return none;
  const frozen = (whole || layer.isLeaf) && layer.trainableParams === 0;
  return frozen ? `(${count(params)})` : count(params);
}

function percent(layer: LayerSummary, whole: boolean, total: number): string {
  if (layer.isRecursive && total > 0) return '(recursive)';
  const params = paramsOf(layer, whole);
  if (total === 0 || params === 0) return `     ${none}`;
  return `${((100 * params) / total).toFixed(2)}%`.padStart(7);
}

function multAdds(layer: LayerSummary, whole: boolean): string {
  if (layer.multAdds <= 0) return none;
  if (layer.isLeaf) return count(layer.multAdds);
  if (!whole) return none;
  return count(layer.below.reduce((sum, child) => sum + (child.isLeaf ? child.multAdds : 0), 0));
}

function trainable({ numParams: all, trainableParams: some }: LayerSummary): string {
  if (all === 0) return none;
  if (some === 0) return 'False';
  return some === all ? 'True' : 'Partial';
}

function cell(column: SummaryColumn, layer: LayerSummary, whole: boolean, total: number): string {
  switch (column) {
    case 'kernelSize':
      return sizes(layer.kernelSize);
    case 'inputSize':
      return sizes(layer.inputSize);
    case 'outputSize':
      return sizes(layer.outputSize);
    case 'numParams':
      return numParams(layer, whole);
    case 'paramsPercent':
      return percent(layer, whole, total);
    case 'multAdds':
      return multAdds(layer, whole);
    case 'trainable':
      return trainable(layer);
  }
}

function indent(depth: number): string {
  if (depth === 0) return '';
  return depth === 1 ? '├─' : `${'│    '.repeat(depth - 1)}└─`;
}

function nameOf({ className, name, depth, index }: LayerSummary, varNames: boolean): string {
  return `${className}${varNames && name !== '' ? ` (${name})` : ''}${depth > 0 ? `: ${depth}-${index}` : ''}`;
}

function quantity(value: number): string {
  const [unit, scaled] = value >= 1e12 ? ['T', value / 1e12] : value >= 1e9 ? ['G', value / 1e9] : ['M', value / 1e6];
  const digits = Number.isInteger(scaled) ? 0 : 2;
  return ` (${unit}): ${scaled.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(2);

/** The summary as a table of the layers, with totals below it. */
export function formatSummary(summary: ModelSummary, { depth, colNames, colWidth, varNames }: TableOptions): string {
  const titles = summary.layers.map((layer) => nameOf(layer, varNames));
  const longest = Math.max(0, ...titles.map((title, i) => title.length + summary.layers[i]!.depth * 5 + 1));
  const width = longest >= 40 ? Math.ceil(longest / 5) * 5 : 40;
  const divider = '='.repeat(colNames.length * colWidth + width);
  const row = (first: string, cells: readonly string[]): string =>
    `${first.padEnd(width)} ${cells.map((text) => `${text.padEnd(colWidth)} `).join('')}`.trimEnd();
  const header = row(
    `Layer (type${varNames ? ' (var_name)' : ''}:depth-idx)`,
    colNames.map((name) => columns[name]),
  );
  const rows = summary.layers.flatMap((layer, i) => {
    if (layer.depth > depth) return [];
    const cells = colNames.map((name) => cell(name, layer, layer.depth === depth, summary.totalParams));
    return [row(indent(layer.depth) + titles[i]!, cells)];
  });
  return [divider, header, divider, ...rows, divider, ...totals(summary, divider), divider].join('\n');
}

function totals(summary: ModelSummary, divider: string): string[] {
  const { totalParams, trainableParams, inputBytes, outputBytes, paramBytes } = summary;
  const lines = [
    `Total params: ${count(totalParams)}`,
    `Trainable params: ${count(trainableParams)}`,
    `Non-trainable params: ${count(totalParams - trainableParams)}`,
  ];
  if (inputBytes === null) return lines;
  return [
    ...lines,
    `Total mult-adds${quantity(summary.totalMultAdds)}`,
    divider,
    `Input size (MB): ${megabytes(inputBytes)}`,
    `Forward/backward pass size (MB): ${megabytes(outputBytes)}`,
    `Params size (MB): ${megabytes(paramBytes)}`,
    `Estimated Total Size (MB): ${megabytes(inputBytes + outputBytes + paramBytes)}`,
  ];
}
