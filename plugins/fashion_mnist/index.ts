import { definePlugin } from 'aiforge';

export const plugin = definePlugin({
  name: 'fashion_mnist',
  description: 'A small ResNet on the 70,000 pictures of clothes of Fashion-MNIST, from its four IDX files',
});
