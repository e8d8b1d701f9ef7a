import { definePlugin } from 'aiforge';

export const plugin = definePlugin({
  name: 'brown_characters',
  description: 'A small GPT that writes the English of the Brown corpus, character by character',
});
