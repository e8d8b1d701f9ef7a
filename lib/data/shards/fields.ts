import { Buffer } from 'node:buffer';
import { AiforgeError } from '../../errors.js';
import { isPromise, notAwaited } from '../../promised.js';
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
  const problem = `${name} is ${show(value)}, expected a tensor, a number, a boolean, a list of numbers or a string`;
  if (isPromise(value)) throw notAwaited('INVALID_ARGUMENT', `ShardWriter.add: ${problem}; await it.`, value);
  throw refusal(problem);
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

/** Throws INVALID_ARGUMENT where two fields would be written under one name, or a field that may differ is none of tensors. */
export function checkFields(forms: Readonly<Record<string, FieldForm>>, ragged: readonly string[]): void {
  const odd = ragged.find((name) => !Object.hasOwn(forms, name) || forms[name]!.form !== 'ragged');
  if (odd !== undefined) {
    const found = Object.hasOwn(forms, odd) ? 'is a string, whose length may differ anyway' : 'the sample has not';
    throw refusal(`ragged names '${odd}', which ${found}. The fields are ${Object.keys(forms).join(', ')}`);
  }
  if (Object.hasOwn(forms, '__metadata__')) throw refusal("'__metadata__' is no name for a field of a shard");
  const written = Object.entries(forms).flatMap(([name, form]) => tensorNames(name, form));
  const twice = written.find((name, i) => written.indexOf(name) < i);
  if (twice === undefined) return;
  throw refusal(`a field '${twice}' cannot stand beside one whose values are written under that name; rename it`);
}

/** Under which names a field is written. */
const tensorNames = (name: string, { form }: FieldForm): string[] =>
  form === 'fixed' ? [name] : [`${name}.values`, `${name}.offsets`];

/** Throws INVALID_ARGUMENT for values that are not of these forms. */
export function checkForms(
  values: ReadonlyMap<string, Tensor | string>,
  forms: Readonly<Record<string, FieldForm>>,
): void {
  const names = Object.keys(forms);
  const missing = names.find((name) => !values.has(name));
  if (missing !== undefined) throw refusal(`the sample has no ${missing}, which those before have`);
  for (const [name, value] of values) {
    const form = Object.hasOwn(forms, name) ? forms[name] : undefined;
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
  const [first, second] = tensorNames(name, form);
  if (form.form === 'fixed') return [[first!, stack(column as Tensor[])]];
  const parts = form.form === 'text' ? (column as string[]).map(bytesOfText) : (column as Tensor[]);
  const offsets = [0];
  for (const part of parts) offsets.push(offsets.at(-1)! + part.size(0));
  return [
    [first!, cat([...parts])],
    [second!, tensor(offsets, { dtype: 'int64' })],
  ];
}

const bytesOfText = (text: string): Tensor => tensor(new Uint8Array(Buffer.from(text, 'utf8')));
