import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const headers = 'node_modules/node-api-headers/include';
const read = (file: string): string => readFileSync(file, 'utf8');

/** The functions of Node-API that take a function for Node to call, from its own headers. */
function registrations(): string[] {
  const callbacks =
    /napi_callback\b|napi_\w*finalize\b|node_api_basic_finalize|napi_\w*cleanup_hook\b|napi_threadsafe_function_call_js|napi_async_\w+_callback|napi_property_descriptor/;
  const declarations = ['js_native_api.h', 'node_api.h'].flatMap((name) => read(path.join(headers, name)).split(';'));
  const found = declarations.flatMap((text) => {
    const declaration = /NAPI_CDECL\s+(\w+)\(([\s\S]*)\)\s*$/.exec(text);
    return declaration !== null && callbacks.test(declaration[2]!) ? [declaration[1]!] : [];
  });
  return [...found, 'node_api_post_finalizer'];
}

/** The ways of node-addon-api to the same, which let exceptions of C++ pass. */
const wrapped =
  /\bNODE_API_MODULE\b|Napi::(Function|External<[^>]*>|TypedThreadSafeFunction<[^>]*>|ThreadSafeFunction)::New\b|ObjectWrap|AsyncWorker|AddCleanupHook|AddFinalizer|SetInstanceData|PropertyDescriptor/;

describe('what Node calls in the addon', () => {
  it('is registered in entries.h alone, so that no exception of C++ leaves it', () => {
    const names = registrations();
    expect(names).to.include.members(['napi_create_function', 'napi_wrap', 'napi_create_threadsafe_function']);
    const register = new RegExp(`\\b(${names.join('|')})\\(|${wrapped.source}`);
    const files = readdirSync('native', { recursive: true, encoding: 'utf8' }).filter((name) => /\.(cc|h)$/.test(name));
    const beside = files.filter((name) => register.test(read(path.join('native', name))));
    expect(beside).to.deep.equal(['entries.h']);
  });

  it('does not end the process when a worker is terminated while it loads the addon', () => {
    const addon = path.resolve('build/cmake/Release/aiforge.node');
    const inner = `
      const { parentPort } = require('node:worker_threads');
      parentPort.postMessage('loads');
      process.dlopen({ exports: {} }, ${JSON.stringify(addon)});
      (() => parentPort.postMessage('loaded'))();`; // a function of JavaScript, which is not begun once the worker ends
    const script = `
      const { Worker } = require('node:worker_threads');
      const worker = new Worker(${JSON.stringify(inner)}, { eval: true });
      worker.on('message', (message) => { console.log(message); setTimeout(() => worker.terminate(), Number(process.argv[1])); });
      worker.on('exit', () => console.log('ended'));`;
    const outputs = [1, 2, 5, 10, 20].map((delay) => {
      const args = ['-e', script, String(delay)];
      const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      expect([status, signal, stderr]).to.deep.equal([0, null, '']);
      return stdout;
    });
    // A machine may load it before the worker is told to end, but not each time.
    expect(outputs).to.include('loads\nended\n');
  });
});
