import { expect } from 'chai';
import { readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import {
  cleanEnvironment,
  copyOfPackage,
  outlineOfLibTorch,
  pathWithOnly,
  runNode,
  temporaryFolder,
  writeFiles,
} from './sandbox.mjs';

const addonSource = `#include <ATen/ATen.h>
#include <napi.h>
static Napi::Value sum(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), at::ones({3}).sum().item<double>());
}
static Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("sum", Napi::Function::New(env, sum));
  return exports;
}
NODE_API_MODULE(aiforge, init)
`;

const script = join('scripts', 'install.mjs');
const addonOf = (folder: string) => join(folder, 'build', 'cmake', 'Release', 'aiforge.node');

describe('scripts/install.mjs', () => {
  it('compiles an addon that loads, and does nothing the second time', async function () {
    this.timeout(300_000);
    const folder = copyOfPackage({ 'native/addon.cc': addonSource });
    const first = await runNode([script], process.env, folder);
    expect(first.output)
      .to.include('addon.cc')
      .and.to.include(`built: ${addonOf(folder)}`);
    const addon = createRequire(import.meta.url)(addonOf(folder)) as { sum(): number };
    expect(addon.sum()).to.equal(3);
    const second = await runNode([script], process.env, folder);
    expect(second).to.deep.equal({ status: 0, output: `up to date: ${addonOf(folder)}\n` });
    // A package in node_modules is not compiled again bit by bit.
    expect(readdirSync(join(folder, 'build', 'cmake')).sort()).to.deep.equal(['Release', 'libtorch.json']);
    expect(readdirSync(join(folder, 'build', 'cmake', 'Release'))).to.deep.equal(['aiforge.node']);

    // What the compiler says is shown, and the addon counts as built again only when it is.
    writeFiles(folder, { 'native/broken.cc': '#error the reason\n' });
    const broken = await runNode([script], process.env, folder);
    expect(broken.status).to.equal(1);
    expect(broken.output)
      .to.include('the reason')
      .and.to.include('aiforge: ADDON_NOT_LOADED: the native part did not compile');
    rmSync(join(folder, 'native', 'broken.cc'));
    const repaired = await runNode([script], process.env, folder);
    expect(repaired.status, repaired.output).to.equal(0);
  });

  it('names every missing tool at once', async () => {
    const folder = copyOfPackage({ 'native/addon.cc': addonSource });
    const libtorch = writeFiles(temporaryFolder(), outlineOfLibTorch('2.13.0'));
    const env = cleanEnvironment({ PATH: pathWithOnly('node'), LIBTORCH: libtorch });
    const { status, output } = await runNode([script], env, folder);
    expect(status).to.equal(1);
    expect(output)
      .to.include('ADDON_NOT_LOADED')
      .and.to.include('g++ and cmake and make not found')
      .and.to.include('apt-get install g++ cmake make');
    expect(output).not.to.match(/^\s+at .*:\d+:\d+/m);
  });
});
