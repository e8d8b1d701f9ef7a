// Makes the packages that are published, as tarballs in build/packages: `aiforge`, and the one with the prebuilt addon of
// the flavour of AIFORGE_FLAVOUR for this platform.
import { copyFileSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from './build.mjs';
import { LIBTORCH_VERSION } from './locate/libtorch.cjs';
import { addonPackage } from './locate/packages.cjs';
import { platform } from './locate/platform.cjs';
import { buildPrebuilt } from './provision/addon.mjs';
import { binaryNeeds } from './package/binary.mjs';
import { outputOf, run } from './provision/command.mjs';
import { isMain, ProvisionError, runMain } from './provision/main.mjs';
import { addonRecord, projectRoot, readJson, writeJson } from './provision/paths.mjs';

// The packages with prebuilt addons that belong to a release. A further one is made by this script on its platform.
const PREBUILT = {
  // npm chooses among them by `os`, `cpu` and `libc`.
  optional: ['@aiforge/linux-x64'],
  // It cannot choose by flavour: whoever wants one of these adds it.
  peer: ['@aiforge/linux-x64-cuda'],
};

const folder = join(projectRoot, 'build', 'packages');
const manifest = readJson(join(projectRoot, 'package.json'));

/** Builds what is out of date and packs both packages; resolves to `{ name, stage, tarball }` of each. Throws ProvisionError. */
export async function makePackages() {
  await build();
  const addon = await buildPrebuilt();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return { addon: await packAddon(addon), library: await packLibrary() };
}

async function packAddon(file) {
  const { version: libtorch, flavour } = readJson(addonRecord);
  const name = addonPackage(flavour);
  const prebuilt = [...PREBUILT.optional, ...PREBUILT.peer];
  if (libtorch !== LIBTORCH_VERSION || !prebuilt.includes(name)) {
    throw new ProvisionError(
      `${name} for LibTorch ${libtorch} is not among the packages of a release (${prebuilt.join(', ')}, for LibTorch ` +
        `${LIBTORCH_VERSION}). Unset LIBTORCH, or add it to PREBUILT in scripts/package.mjs.`,
    );
  }
  const stage = join(folder, basename(name));
  mkdirSync(stage);
  copyFileSync(file, join(stage, 'aiforge.node'));
  copyFileSync(join(projectRoot, 'LICENSE'), join(stage, 'LICENSE'));
  const record = { aiforge: manifest.version, libtorch, flavour, cxx11Abi: true, ...binaryNeeds(file) };
  writeJson(join(stage, 'addon.json'), record);
  writeFileSync(join(stage, 'README.md'), describeAddon(name, record));
  writeJson(join(stage, 'package.json'), {
    name,
    version: manifest.version,
    description: `The addon of aiforge for ${platform}, for LibTorch ${libtorch} (${flavour}).`,
    license: manifest.license,
    os: [process.platform],
    cpu: [process.arch],
    libc: ['glibc'],
    engines: manifest.engines,
    files: ['aiforge.node', 'addon.json'],
    preferUnplugged: true,
    publishConfig: { access: 'public' },
    ...repositoryFields(),
  });
  return { name, flavour, stage, tarball: pack(stage) };
}

function describeAddon(name, { libtorch, flavour, glibc, libstdcxx }) {
  const comes = PREBUILT.peer.includes(name) ? `\`npm install aiforge ${name}\`` : 'npm installs it beside that';
  return `# ${name}

The compiled part of aiforge for ${platform}: ${comes}, and there is nothing in it to use alone.
It is for LibTorch ${libtorch} (${flavour}), glibc ${glibc} and libstdc++ ${libstdcxx} or newer.
`;
}

async function packLibrary() {
  const stage = join(folder, 'aiforge');
  mkdirSync(stage);
  // npm chooses the files by package.json; what is published gets another package.json than the checkout has.
  const tarball = pack(projectRoot);
  const { status } = await run('tar', ['-xzf', tarball, '-C', stage, '--strip-components=1']);
  if (status !== 0) throw new ProvisionError(`${tarball} could not be unpacked (tar: ${status}).`);
  rmSync(tarball);
  const { private: _private, devDependencies: tools, scripts, ...published } = manifest;
  writeJson(join(stage, 'package.json'), {
    ...published,
    scripts: { install: scripts.install },
    peerDependencies: { ...versionsOf(OPTIONAL_PEERS, tools), ...inThisVersion(PREBUILT.peer) },
    peerDependenciesMeta: Object.fromEntries(
      [...OPTIONAL_PEERS, ...PREBUILT.peer].map((name) => [name, { optional: true }]),
    ),
    optionalDependencies: inThisVersion(PREBUILT.optional),
    ...repositoryFields(),
  });
  return { name: manifest.name, stage, tarball: pack(stage) };
}

/** Only who compiles the addon needs cmake-js, and only who writes Parquet files hyparquet-writer. */
const OPTIONAL_PEERS = ['cmake-js', 'hyparquet-writer'];

const versionsOf = (names, versions) => Object.fromEntries(names.map((name) => [name, versions[name]]));

const inThisVersion = (names) => Object.fromEntries(names.map((name) => [name, manifest.version]));

/** Where the publisher keeps the sources, which is for the publisher to say. */
function repositoryFields() {
  const url = process.env.AIFORGE_REPOSITORY?.replace(/\/$/, '');
  if (!url) return {};
  if (!/^https:\/\/[^\s/]+\/\S+$/.test(url)) {
    throw new ProvisionError(
      `AIFORGE_REPOSITORY=${url} is no https address of a repository, such as https://host/owner/name.`,
    );
  }
  return {
    repository: { type: 'git', url: `git+${url}.git` },
    homepage: `${url}#readme`,
    bugs: { url: `${url}/issues` },
  };
}

function pack(stage) {
  const names = outputOf('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder, stage]);
  if (!names) throw new ProvisionError(`npm pack failed. Run it in ${stage} to see why.`);
  return join(folder, names.split('\n').at(-1));
}

if (isMain(import.meta.url)) {
  await runMain(async () => {
    const packages = await makePackages();
    for (const { tarball } of Object.values(packages)) {
      console.log(`${tarball}  ${(statSync(tarball).size / 1e6).toFixed(2)} MB`);
    }
  });
}
