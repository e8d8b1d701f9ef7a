/** The values of nested mappings by their paths, such as `training.epochs`. */
export function flat(value: unknown, under = ''): Record<string, unknown> {
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMapping || Object.keys(value).length === 0) return under === '' ? {} : { [under]: value };
  const entries = Object.entries(value).map(([key, inner]) => flat(inner, under === '' ? key : `${under}.${key}`));
  return Object.assign({}, ...entries) as Record<string, unknown>;
}
