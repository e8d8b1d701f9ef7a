export { MinMaxScaler, type MinMaxScalerOptions } from './numbers/minMaxScaler.js';
export { RobustScaler, type RobustScalerOptions } from './numbers/robustScaler.js';
export { StandardScaler, type StandardScalerOptions } from './numbers/standardScaler.js';
export type { TableColumns, TableItem, TableRow } from './tables/frame.js';
export { TablePreprocessor } from './tables/tablePreprocessor.js';
