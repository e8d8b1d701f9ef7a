// Modules are walked in every step, for `zeroGrad` if nothing else.
const known = new Map<string, string>();

/**
 * A property's name as PyTorch writes it in state dicts: `inProjWeight` is `in_proj_weight`; a name that begins with a
 * capital, such as `LayerNorm`, stays as it is.
 */
export function stateDictName(property: string): string {
  let name = known.get(property);
  if (name === undefined) {
    name = snakeCase(property);
    known.set(property, name);
  }
  return name;
}

function snakeCase(property: string): string {
  if (/^[A-Z]/.test(property)) return property;
  return property
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();
}

export function joinNames(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}.${name}`;
}
