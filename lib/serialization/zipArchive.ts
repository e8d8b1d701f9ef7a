import type { OpenFile } from '../tensor/files/openFile.js';
import { ByteStream } from './byteStream.js';
import { PickleReader } from './pickleReader.js';
import type { Rebuild } from './rebuild.js';
import type { Storages } from './storages.js';
import { ZipReader } from '../tensor/files/zipReader.js';

/** Reads a file of `torch.save` as it is since PyTorch 1.6: a zip of a pickle and, each an entry, the bytes of the storages. */
export function readZip(file: OpenFile, storages: Storages, rebuild: Rebuild): unknown {
  const zip = new ZipReader(file);
  const root = rootOf(zip, file);
  const entryOf = (key: string): string => `${root}data/${key}`;
  storages.contents = {
    sizeOf: (key) => zip.sizeOf(entryOf(key)),
    copy: (key, use) => zip.copy(entryOf(key), use),
  };
  return new PickleReader(new ByteStream(file, zip.read(`${root}data.pkl`)), rebuild).read();
}

function rootOf(zip: ZipReader, file: OpenFile): string {
  const pickle = [...zip.names()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickle === undefined) throw file.invalid('it has no data.pkl');
  const root = pickle.slice(0, -'data.pkl'.length);
  if (zip.has(`${root}constants.pkl`)) {
    throw file.invalid('it is a TorchScript program, not data; save its state_dict()');
  }
  const order = `${root}byteorder`;
  if (zip.has(order) && zip.read(order).toString() !== 'little')
    throw file.invalid('its bytes are in big-endian order');
  return root;
}
