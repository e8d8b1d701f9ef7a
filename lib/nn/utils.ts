export * as rnn from './packing/index.js';
