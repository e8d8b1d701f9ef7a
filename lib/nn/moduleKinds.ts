import { kind, type Kind } from '../kinds.js';
import type { Module } from './module.js';
import { isModule } from './members/traversal.js';

/** A module whose forward takes and gives what `T` says. */
export const layerKind = <T extends Module>(): Kind<T> => kind<T>('a module', isModule);

export const moduleKind: Kind<Module> = layerKind<Module>();
