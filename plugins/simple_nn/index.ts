import { definePlugin } from 'aiforge';

export const plugin = definePlugin({
  name: 'simple_nn',
  description: 'A multi-layer perceptron on generated points: class 1 lies outside a sphere, class 0 inside',
});
