import { kind, oneOf, type Kind } from '../kinds.js';
import { isDevice, isDType, type Device, type DType, type Layout, type MemoryFormat } from './dtype.js';

export const dtypeKind: Kind<DType> = kind("a dtype such as 'float32'", isDType);
export const deviceKind: Kind<Device> = kind("a device such as 'cpu' or 'cuda:0'", isDevice);
export const memoryFormatKind: Kind<MemoryFormat> = oneOf(
  'contiguous_format',
  'preserve_format',
  'channels_last',
  'channels_last_3d',
);
export const layoutKind: Kind<Layout> = oneOf(
  'strided',
  'sparse_coo',
  'sparse_csr',
  'sparse_csc',
  'sparse_bsr',
  'sparse_bsc',
  '_mkldnn',
  'jagged',
);
