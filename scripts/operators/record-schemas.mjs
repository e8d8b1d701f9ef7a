// Writes native/versions/schemas.txt: a checksum of the schema of every aten:: operator of the LibTorch that the library
// is written for. To be run when that changes.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { LIBTORCH_VERSION } from '../locate/libtorch.cjs';
import { addonFile, projectRoot } from '../locate/paths.cjs';

const native = createRequire(import.meta.url)(addonFile);
const linked = native.libtorchVersion();
if (linked !== LIBTORCH_VERSION) {
  console.error(
    `The addon is linked with LibTorch ${linked}; unset LIBTORCH and build, to record ${LIBTORCH_VERSION}.`,
  );
  process.exit(1);
}
const lines = native
  .operatorNames()
  .sort()
  .map((name) => `${native.schema(name).checksum.toString(16).padStart(8, '0')} ${name}\n`);
writeFileSync(join(projectRoot, 'native', 'versions', 'schemas.txt'), lines.join(''));
console.log(`${lines.length} schemas of LibTorch ${linked}`);
