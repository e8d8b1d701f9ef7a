import { Buffer } from 'node:buffer';
import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import { cat, stack, Tensor, tensor } from '../../tensor/index.js';
import type { FieldForm } from './shardIndex.js';

/** A sample as it is written: tensors, numbers, booleans, typed arrays and lists of numbers, texts. */
export type ShardSample = Readonly<Record<string, unknown>>;

const refusal = (problem: string): AiforgeError => new AiforgeError('INVALID_ARGUMENT', `ShardWriter.add: ${problem}.`);

/** A value as a tensor of the CPU of its own, or a text: the user may change or end what was given before it is written. */
function valueOf(name: string, value: unknown, form: FieldForm | undefined): Tensor | string {
  if (typeof value !== 'string') return tensorOf(name, value, form);
  if (/\p{Surrogate}/u.test(value))
    throw refusal(`${name} is ${show(value)}, which has half a surrogate pair, so it is no UTF-8`);
  return value;
}

function tensorOf(name: string, value: unknown, form: FieldForm | undefined): Tensor {
  if (Tensor.isTensor(value)) return value.detach().to('cpu').clone({ memoryFormat: 'contiguous_format' });
  if (typeof value === 'number') {
    // A whole number is one of a field of fractions, too.
    const isFraction = !Number.isInteger(value) || (form?.form === 'fixed' && form.dtype === 'float64');
    return tensor(value, { dtype: isFraction ? 'float64' : 'int64' });
  }
  if (typeof value === 'bigint' || typeof value === 'boolean') return tensor(value);
  if (ArrayBuffer.isView(value) || Array.isArray(value)) return tensor(value as never);
  throw refusal(`${name} is ${show(value)}, expected a tensor, a number, a boolean, a list of numbers or a string`);
}

/** What a sample's values are, by the names of the fields in their order; `forms` is what those before were. */
export function valuesOf(
  sample: ShardSample,
  forms: Readonly<Record<string, FieldForm>> | null,
): Map<string, Tensor | string> {
  return new Map(Object.entries(sample).map(([name, value]) => [name, valueOf(name, value, forms?.[name])]));
}

/** What fields have in common. `ragged` names those whose first sizes may differ. */
export function formsOf(
  values: ReadonlyMap<string, Tensor | string>,
  ragged: readonly string[],
): Record<string, FieldForm> {
  return Object.fromEntries(
    [...values].map(([name, value]): [string, FieldForm] => {
      if (typeof value === 'string') return [name, { form: 'text' }];
      if (!ragged.includes(name)) return [name, { form: 'fixed', dtype: value.dtype, shape: value.shape }];
      if (value.dim() === 0) throw refusal(`${name} is a single number, so it cannot be ragged`);
      return [name, { form: 'ragged', dtype: value.dtype, shape: value.shape.slice(1) }];
    }),
  );
}

/** Throws INVALID_ARGUMENT for names of fields that the names of a shard's tensors cannot tell apart, and for others in `ragged`. */
export function checkNames(names: readonly string[], ragged: readonly string[]): void {
  const unknown = ragged.find((name) => !names.includes(name));
  if (unknown !== undefined) throw refusal(`ragged names '${unknown}', and the sample has no such field`);
  for (const name of names) {
    const stem = /^(.*)\.(values|offsets)$/s.exec(name)?.[1];
    if (stem !== undefined && names.includes(stem)) throw refusal(`the fields '${stem}' and '${name}' cannot be told apart in a shard; name one otherwise`); // prettier-ignore
    if (name === '__metadata__') throw refusal(`'${name}' is no name for a field of a shard`);
  }
}

/** Throws INVALID_ARGUMENT for values that are not of these forms. */
export function checkForms(
  values: ReadonlyMap<string, Tensor | string>,
  forms: Readonly<Record<string, FieldForm>>,
): void {
  const names = Object.keys(forms);
  const missing = names.find((name) => !values.has(name));
  if (missing !== undefined) throw refusal(`the sample has no ${missing}, which those before have`);
  for (const [name, value] of values) {
    const form = forms[name];
    if (form === undefined) throw refusal(`the sample has a field ${name}, which those before have not`);
    if (!hasForm(value, form)) throw refusal(`${name} is ${show(value)}, expected ${shownForm(form)} as before`);
  }
}

function hasForm(value: Tensor | string, form: FieldForm): boolean {
  if (typeof value === 'string' || form.form === 'text') return typeof value === 'string' && form.form === 'text';
  const shape = form.form === 'ragged' ? value.shape.slice(1) : value.shape;
  return (
    value.dtype === form.dtype && String(shape) === String(form.shape) && (form.form === 'fixed' || value.dim() > 0)
  );
}

export function shownForm(form: FieldForm): string {
  if (form.form === 'text') return 'a string';
  const sizes = form.form === 'ragged' ? ['any', ...form.shape] : form.shape;
  return `${form.dtype}[${sizes.join(', ')}]`;
}

/** How many bytes a value takes in a shard. */
export const bytesIn = (value: Tensor | string): number =>
  typeof value === 'string' ? Buffer.byteLength(value) + 8 : value.numel() * value.elementSize() + 8;

/** The tensors that hold one field of some samples: `name`, or `name.values` and `name.offsets`. */
export function columnTensors(name: string, form: FieldForm, column: readonly (Tensor | string)[]): [string, Tensor][] {
  if (form.form === 'fixed') return [[name, stack(column as Tensor[])]];
  const parts = form.form === 'text' ? (column as string[]).map(bytesOfText) : (column as Tensor[]);
  const offsets = [0];
  for (const part of parts) offsets.push(offsets.at(-1)! + part.size(0));
  return [
    [`${name}.values`, cat([...parts])],
    [`${name}.offsets`, tensor(offsets, { dtype: 'int64' })],
  ];
}

const bytesOfText = (text: string): Tensor => tensor(new Uint8Array(Buffer.from(text, 'utf8')));
