import { outputOf } from '../provision/command.mjs';
import { ProvisionError } from '../provision/main.mjs';

// Of the distributions that are supported in 2025 and later: RHEL 9, Amazon Linux 2023, Ubuntu 22.04, Debian 12.
const NEWEST = { glibc: '2.34', libstdcxx: '3.4.29' };
const SYMBOLS = { glibc: 'GLIBC', libstdcxx: 'GLIBCXX' };

/**
 * What a prebuilt addon asks of the system, as `{ glibc, libstdcxx, libraries }`: the newest versions of symbols, and the
 * libraries of LibTorch. Throws ProvisionError when it would not run elsewhere.
 */
export function binaryNeeds(file) {
  const versions = read('-V', file);
  const needs = Object.fromEntries(Object.entries(SYMBOLS).map(([name, symbol]) => [name, newest(versions, symbol)]));
  for (const [name, version] of Object.entries(needs)) {
    if (compare(version, NEWEST[name]) <= 0) continue;
    throw new ProvisionError(
      `${file} needs ${SYMBOLS[name]}_${version}, and a prebuilt addon may need ${NEWEST[name]} at most. ` +
        `\`nm -D\` tells which function it is; build on an older system or do without it.`,
    );
  }
  const dynamic = read('-d', file);
  if (/R(UN)?PATH/.test(dynamic)) throw new ProvisionError(`${file} has the path of this machine's LibTorch in it.`);
  const libraries = [...dynamic.matchAll(/\(NEEDED\).*\[(lib(?:torch|c10)[^\]]*)\]/g)].map(([, library]) => library);
  return { ...needs, libraries };
}

function read(option, file) {
  const output = outputOf('readelf', ['-W', option, file]);
  if (output === null) throw new ProvisionError(`readelf cannot read ${file}. It comes with g++ (binutils).`);
  return output;
}

function newest(text, symbol) {
  return [...text.matchAll(new RegExp(`\\b${symbol}_([\\d.]+)`, 'g'))]
    .map(([, version]) => version)
    .sort(compare)
    .at(-1);
}

function compare(first, second) {
  return first.localeCompare(second, 'en', { numeric: true });
}
