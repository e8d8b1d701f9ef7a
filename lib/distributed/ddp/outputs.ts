import { flattenTree, unflattenTree } from '../../autograd/pytree.js';
import { Tensor } from '../../tensor/tensor.js';

/**
 * The outputs of a forward pass with the tensors in them that are recorded replaced by what `through` makes of these. Looks into arrays,
 * plain objects and maps; everything else in them stays what it is, leaves such as parameters too: `grad` is found on them.
 */
export function replaceRecorded(outputs: unknown, through: (recorded: Tensor[]) => readonly Tensor[]): unknown {
  const { leaves, spec } = flattenTree(outputs);
  const recorded = leaves.filter((leaf): leaf is Tensor => Tensor.isTensor(leaf) && leaf.requiresGrad);
  const passed = through(recorded);
  if (recorded.every((tensor) => tensor.isLeaf)) return outputs;
  let next = 0;
  const replaced = leaves.map((leaf) => {
    if (!Tensor.isTensor(leaf) || !leaf.requiresGrad) return leaf;
    const other = passed[next++];
    return leaf.isLeaf ? leaf : other;
  });
  return unflattenTree(replaced, spec);
}
