import { definePlugin } from 'aiforge';

export { readMessage } from './message.js';

export const plugin = definePlugin({
  name: 'spam_assassin',
  description: 'The e-mails of the SpamAssassin corpus, ham or spam, with a tokenizer trained on the training split',
});
