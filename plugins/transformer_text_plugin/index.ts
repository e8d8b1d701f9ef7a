import { definePlugin } from 'aiforge';

export const plugin = definePlugin({
  name: 'transformer_text_plugin',
  description:
    'A Transformer text classifier with learnt positions and mean pooling, and generated token data to try it on',
});
