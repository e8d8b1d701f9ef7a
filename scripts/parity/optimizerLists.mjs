/** Cases of `npm run test:parity:optim` that are not equal, each with its reason. A case that is equal must not be here. */
export const differentOptimizers = new Map();
