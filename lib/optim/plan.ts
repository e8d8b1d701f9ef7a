import type { Tensor } from '../tensor/tensor.js';
import type { Bucket, Watched } from './bucket.js';

/** The parameters of a group as its last step took them: those with gradients in buckets, the others watched for one. */
export interface Plan {
  readonly parameters: readonly Tensor[];
  readonly isCapturable: boolean;
  buckets: Bucket[] | undefined;
  idle: Watched | undefined;
}

/** Reads the gradients of a plan; every one of them, so that the next step finds no old change. */
export function hasChanged({ buckets, idle }: Plan): boolean {
  let changed = idle?.collect() ?? false;
  for (const bucket of buckets!) if (bucket.collect()) changed = true;
  return changed;
}
