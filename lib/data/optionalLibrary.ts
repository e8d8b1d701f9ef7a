import { AiforgeError } from '../errors.js';

/**
 * A package that only some readers need and that the user installs. Throws MISSING_DEPENDENCY where it cannot be loaded, or has not
 * what is used of it.
 *
 * @param uses Names of what it must export.
 */
export async function optionalLibrary<Library extends object>(
  who: string,
  name: string,
  uses: readonly string[],
): Promise<Library> {
  let library: Library;
  try {
    // A name that bundlers do not follow: it need not be there when they run.
    library = (await import(/* webpackIgnore: true */ name)) as Library;
  } catch (cause) {
    throw missingPackage(who, name, `cannot be loaded here (${(cause as Error).message})`, cause);
  }
  const missing = uses.find((use) => !(use in library));
  if (missing !== undefined)
    throw missingPackage(who, name, `has no '${missing}', so is of another version than is expected`);
  return library;
}

/** The error for a package that is not there, or is another one than is expected. */
export const missingPackage = (who: string, name: string, problem: string, cause?: unknown): AiforgeError =>
  new AiforgeError(
    'MISSING_DEPENDENCY',
    `${who} needs the package ${name}, which ${problem}. Run: npm install ${name}`,
    {
      cause,
    },
  );
