import type { Command } from 'commander';

/** The parser of an option that may be given several times. */
export const collect = (value: string, given: string[] | undefined): string[] => [...(given ?? []), value];

/** Has a command, and all within it, refuse an option that is given two values, of which the last would count. */
export function refuseRepeated(command: Command): void {
  for (const option of command.options) {
    if (!option.required || option.parseArg === collect) continue;
    let given: string | undefined;
    command.on(`option:${option.name()}`, (value: string) => {
      if (given !== undefined) {
        command.error(
          `error: option '${option.flags}' was given twice, as '${given}' and as '${value}': give it once.`,
        );
      }
      given = value;
    });
  }
  command.commands.forEach(refuseRepeated);
}
