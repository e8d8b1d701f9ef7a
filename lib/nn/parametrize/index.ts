export { ParametrizationList, type Parametrization } from './list.js';
export {
  cached,
  isParametrized,
  registerParametrization,
  removeParametrizations,
  transferParametrizationsAndParams,
  typeBeforeParametrizations,
  type ParametrizationOptions,
  type Parametrized,
} from './register.js';
