export { SimpleNNConfig as Config } from 'aiforge';
