import type { Module } from '../nn/module.js';
import { addHook } from '../nn/hooks/moduleHooks.js';
import { enterRange, isRecording, leaveRange, type OpenRange } from './recording.js';

/**
 * Has each call of `forward` of the modules inside `module` be a range, named as `torch.utils.module_tracker` does: the class of
 * the outermost, then the names. Gives what takes that away again.
 */
export function recordModules(module: Module): () => void {
  const root = module.constructor.name;
  const handles: { remove(): void }[] = [];
  for (const [name, each] of module.namedModules()) {
    const range = name === '' ? root : `${root}.${name}`;
    // A module may be called inside itself.
    const open: OpenRange[] = [];
    const enter = (): void => {
      if (isRecording()) open.push(enterRange(range, true));
    };
    const leave = (): void => {
      const last = open.pop();
      if (last !== undefined) leaveRange(last);
    };
    handles.push(addHook(each, 'forwardPre', enter, { prepend: true }));
    handles.push(addHook(each, 'forward', leave, { alwaysCall: true }));
  }
  return () => handles.forEach((handle) => handle.remove());
}
