/** As Kubernetes asks for: more are cut off by the API server, or all of them. */
const most = 16;
const longest = 256;

/** The warnings as they may be sent: not too many, none too long, none empty. */
export function bounded(warnings: readonly string[]): string[] {
  const told = warnings.filter((warning) => warning !== '');
  const shown = told.length > most ? told.slice(0, most - 1) : told;
  const rest = told.length - shown.length;
  const lines = rest > 0 ? [...shown, `and ${rest} more warnings`] : shown;
  return lines.map((line) => (line.length > longest ? `${line.slice(0, longest - 1)}…` : line));
}
