import { AutogradFunction, type FunctionContext } from '../../autograd/function.js';
import { flattenTree, unflattenTree } from '../../autograd/pytree.js';
import { Tensor } from '../../tensor/tensor.js';

/** One node for all outputs: a loss that uses any of them reaches what the others came from too, without a gradient. */
class OutputSink extends AutogradFunction {
  static forward(ctx: FunctionContext, ...outputs: Tensor[]): Tensor[] {
    // Zeros would be a gradient, and the Reducer would average it.
    ctx.setMaterializeGrads(false);
    return outputs.map((output) => output.clone());
  }

  static backward(_: FunctionContext, ...gradients: (Tensor | null)[]): (Tensor | null)[] {
    return gradients;
  }
}

/**
 * The outputs of a forward pass, as tensors that tell the parameters of those that the loss does not use that they get no
 * gradient. Looks into arrays, plain objects and maps; everything else in them stays what it is.
 */
export function throughSink(outputs: unknown): unknown {
  const { leaves, spec } = flattenTree(outputs);
  const recorded = leaves.filter((leaf): leaf is Tensor => Tensor.isTensor(leaf) && leaf.requiresGrad);
  if (recorded.every((tensor) => tensor.isLeaf)) return outputs;
  const passed = OutputSink.apply(...recorded);
  let next = 0;
  const replaced = leaves.map((leaf) => {
    if (!Tensor.isTensor(leaf) || !leaf.requiresGrad) return leaf;
    const through = passed[next++];
    // A leaf, such as a parameter, is returned as itself: `grad` is found on it.
    return leaf.isLeaf ? leaf : through;
  });
  return unflattenTree(replaced, spec);
}
