export { Module, type BufferOptions, type NamedModulesOptions, type NamedOptions } from './module.js';
export { type LoadStateDictOptions, type LoadStateDictResult, type StateDict } from './loadStateDict.js';
export { Parameter } from './parameter.js';
