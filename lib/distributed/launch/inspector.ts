const inspector = /^(--inspect(?:-brk|-wait|-port)?)(?:=(.*))?$/;
const defaultPort = 9229;

/** Options for one rank's Node.js: an inspector's port is that of local rank 0, and each further rank has the next; 0 stays, any free one. */
export function withOwnInspector(nodeArgs: readonly string[], localRank: number): string[] {
  return nodeArgs.map((argument) => {
    const [, option, place = ''] = inspector.exec(argument) ?? [];
    if (option === undefined) return argument;
    const [, host = '', given = ''] = /^(.*:)?(\d*)$/.exec(place) ?? [undefined, `${place}:`];
    const port = given === '' ? defaultPort : Number(given);
    return `${option}=${host}${port === 0 ? 0 : port + localRank}`;
  });
}
