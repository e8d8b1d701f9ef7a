/** A variable that stands in a text. */
export interface Variable {
  name: string;
  /** Whether the environment has it, or its default counts. */
  isSet: boolean;
}

/** A text with the environment variables in it replaced. */
interface Interpolated {
  text: string;
  variables: Variable[];
  /** Whether the text was nothing but one variable. */
  isWhole: boolean;
}

// `$` before it come in pairs, each of which is one `$`: so is `$${env:NAME}` the text `${env:NAME}`.
const notation = /(\$+)\{env:([^{}]*)(\}?)/g;
const contents = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/**
 * Replaces `${env:NAME}` and `${env:NAME:-default}` in a text by the environment; undefined for a text without. An empty variable
 * counts as not set. `refuse` makes the error for a variable that is not set, and for one that is written wrongly.
 */
export function interpolate(
  given: string,
  env: Record<string, string | undefined>,
  refuse: (problem: string) => Error,
): Interpolated | undefined {
  const variables: Variable[] = [];
  let isWhole = false;
  const text = given.replace(notation, (written, dollars: string, inner: string, end: string) => {
    const literal = '$'.repeat(Math.floor(dollars.length / 2));
    if (dollars.length % 2 === 0) return literal + written.slice(dollars.length);
    const [, name, fallback] = contents.exec(inner) ?? [];
    if (name === undefined || end === '') {
      throw refuse(
        `'${written.slice(dollars.length - 1)}' is not written as a variable: expected \${env:NAME} or \${env:NAME:-default}, with no braces in it; a text that begins so is written $\${env:…`,
      );
    }
    const value = env[name] || fallback;
    if (value === undefined) {
      throw refuse(`the environment variable ${name} is not set; set it, or give a default: \${env:${name}:-…}`);
    }
    variables.push({ name, isSet: Boolean(env[name]) });
    isWhole = written === given && dollars.length === 1;
    return literal + value;
  });
  return text === given && variables.length === 0 ? undefined : { text, variables, isWhole };
}

/** The text as it is written in a file, so that nothing in it is replaced. */
export function escapeVariables(text: string): string {
  return text.replace(/(\$+)(?=\{env:)/g, '$1$1');
}
