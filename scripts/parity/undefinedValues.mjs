/** The entries that give memory as they find it: their dtypes, shapes and strides are compared, values cannot be. */
export const undefinedValues = new Set([
  'empty',
  'empty_like',
  'empty_permuted',
  'empty_strided',
  'new_empty',
  'new_empty_strided',
  'resize_',
  'resize_as_',
]);
