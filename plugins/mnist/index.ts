import { definePlugin } from 'aiforge';

export const plugin = definePlugin({
  name: 'mnist',
  description:
    'The 70,000 handwritten digits of MNIST, from its four IDX files, turned and moved at random to train on',
});
