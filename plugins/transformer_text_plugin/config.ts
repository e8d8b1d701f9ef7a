export { TransformerConfig as Config } from 'aiforge';
