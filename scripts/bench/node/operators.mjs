// Thirty common operators on small tensors, as python/operators.py calls them: what a call costs beside its arithmetic.
import { cat, nn, ones, randn, stack, tensor, where } from 'aiforge';

import { there } from './device.mjs';

const { functional } = nn;

function build() {
  const [a, b] = there(randn(4, 4), randn(4, 4));
  const [batch, positive, mask] = there(randn(2, 4, 4), a.abs().add(1), a.gt(0));
  const [weight, bias, index] = there(ones(4), ones(4), tensor([0, 2], { dtype: 'int64' }));
  return {
    add: () => a.add(b),
    sub: () => a.sub(b),
    mul: () => a.mul(b),
    mul_scalar: () => a.mul(2),
    div: () => a.div(b),
    matmul: () => a.matmul(b),
    mm: () => a.mm(b),
    bmm: () => batch.bmm(batch),
    linear: () => functional.linear(a, b, bias),
    layer_norm: () => functional.layerNorm(a, [4], weight, bias),
    sum: () => a.sum(),
    sum_dim: () => a.sum(1),
    mean_dim: () => a.mean(1),
    max: () => a.max(),
    argmax: () => a.argmax(1),
    softmax: () => a.softmax(1),
    relu: () => a.relu(),
    gelu: () => functional.gelu(a),
    sigmoid: () => a.sigmoid(),
    exp: () => a.exp(),
    log: () => positive.log(),
    transpose: () => a.transpose(0, 1),
    reshape: () => a.reshape([2, 8]),
    permute: () => a.permute([1, 0]),
    unsqueeze: () => a.unsqueeze(0),
    cat: () => cat([a, b], 0),
    stack: () => stack([a, b]),
    gt_scalar: () => a.gt(0),
    where: () => where(mask, a, b),
    index_select: () => a.indexSelect(0, index),
  };
}

let built;

/** The call of one operator; all share their tensors. */
export const operator = (name) => () => (built ??= build())[name];

/** In the order of the table. */
export const operatorNames = Object.keys(build());
