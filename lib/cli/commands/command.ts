import type { Command } from 'commander';

/**
 * Adds a command to the program; its action gives `finish` the exit status. What it does is loaded when it is asked for: `setup` and
 * `doctor` must work where the addon does not.
 */
export type AddCommand = (program: Command, finish: (status: number) => void) => void;
