// Builds fence.c, for children whose tensors have a fence around them.
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The environment of a child with fences; throws where there is no C compiler. */
export function fence() {
  const library = join(mkdtempSync(join(tmpdir(), 'aiforge-fence-')), 'fence.so');
  const source = fileURLToPath(new URL('fence.c', import.meta.url));
  const { status, stderr } = spawnSync('cc', ['-O2', '-shared', '-fPIC', '-o', library, source], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`fence.c does not compile: ${stderr ?? 'there is no C compiler'}`);
  return { LD_PRELOAD: library };
}
