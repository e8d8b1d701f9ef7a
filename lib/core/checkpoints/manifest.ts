import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

import { writeFileAtomic } from '../../atomicFile.js';
import { packageManifest } from '../../modules/loadModule.js';
import { AiforgeError } from '../../errors.js';
import { native } from '../../native.js';
import type { RunFiles } from '../runs/runDirectory.js';
import { saving } from '../runs/saving.js';

const Entry = z.object({
  kind: z.enum(['last', 'best', 'kept', 'weights']),
  /** The number of the epoch that it is of, from 1, done or not; 0 before any. */
  epoch: z.int().min(0),
  step: z.int().min(0),
  /** Of its content, as it is among the file's metadata. */
  sha256: z.string(),
  /** When it was written, in ISO 8601. */
  time: z.string(),
  /** Of a checkpoint: the checksum of the best weights at its time. */
  bestWeights: z.string().optional(),
  metric: z.string().optional(),
  value: z.number().optional(),
});
export type ManifestEntry = z.infer<typeof Entry>;

const format = 'aiforge-manifest-1';

const ManifestFile = z.object({
  format: z.literal(format),
  versions: z.record(z.string(), z.string()),
  files: z.record(z.string(), Entry),
});

/** The versions of what a run is computed by. */
export function versions(): Record<string, string> {
  return { aiforge: packageManifest().version, libtorch: native.libtorchVersion(), node: process.versions.node };
}

/** What a run's manifest says of its checkpoints, by the path within the run's folder; nothing where there is none. */
export function readManifest(file: string): Record<string, ManifestEntry> {
  if (!existsSync(file)) return {};
  try {
    return ManifestFile.parse(JSON.parse(readFileSync(file, 'utf8'))).files;
  } catch (cause) {
    throw new AiforgeError('FILE_INVALID', `${file} is no manifest of a run: ${(cause as Error).message}. Remove it; the checkpoints have their checksums too.`, { cause }); // prettier-ignore
  }
}

/** The list of a run's checkpoints with their checksums, `manifest.json` of its folder. */
export class Manifest {
  readonly #files: Pick<RunFiles, 'directory' | 'manifest'>;
  #entries: Record<string, ManifestEntry> | undefined;

  constructor(files: Pick<RunFiles, 'directory' | 'manifest'>) {
    this.#files = files;
  }

  record(file: string, entry: Omit<ManifestEntry, 'time'>, time = new Date().toISOString()): void {
    this.#write({ ...this.#known(), [this.#name(file)]: { ...entry, time } });
  }

  /** Enters a second name of a file. */
  copy(from: string, to: string, changes: Pick<ManifestEntry, 'kind' | 'epoch' | 'step'>): void {
    const known = this.of(from);
    if (known !== undefined) this.record(to, { ...known, ...changes });
  }

  forget(file: string): void {
    const { [this.#name(file)]: _, ...rest } = this.#known();
    this.#write(rest);
  }

  /** What is said of a file. */
  of(file: string): ManifestEntry | undefined {
    return this.#known()[this.#name(file)];
  }

  /** The checksums of the weights that are the best of some checkpoint. */
  get bestWeights(): string[] {
    return Object.values(this.#known()).flatMap(({ bestWeights }) => bestWeights ?? []);
  }

  /** Forgets the files that are gone: a process may have been killed after it removed one. */
  forgetMissing(): void {
    const { directory } = this.#files;
    const entries = Object.entries(this.#known());
    const there = entries.filter(([name]) => existsSync(path.join(directory, name)));
    if (there.length < entries.length) this.#write(Object.fromEntries(there));
  }

  #name(file: string): string {
    return path.relative(this.#files.directory, file);
  }

  /** One that is damaged is made anew: it says nothing that the files do not say. */
  #known(): Record<string, ManifestEntry> {
    if (this.#entries !== undefined) return this.#entries;
    try {
      this.#entries = readManifest(this.#files.manifest);
    } catch {
      rmSync(this.#files.manifest, { force: true });
      this.#entries = {};
    }
    return this.#entries;
  }

  #write(files: Record<string, ManifestEntry>): void {
    this.#entries = files;
    const { manifest } = this.#files;
    saving(manifest, () => writeFileAtomic(manifest, `${JSON.stringify({ format, versions: versions(), files }, null, 2)}\n`)); // prettier-ignore
  }
}
