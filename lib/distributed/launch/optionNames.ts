import type { LaunchOptions } from './options.js';

/** What an error calls an option of a launch: the command line has other names than `launch`. */
export type NameOf = (option: keyof LaunchOptions) => string;

/** As `launch` has it. */
export const asOption: NameOf = (option) => option;
