const longest = 1500;

/** The object that kustomize says it has found twice. */
export interface DuplicateObject {
  readonly kind: string;
  readonly name: string;
}

/**
 * What kustomize's stderr says to whoever wrote the kustomization: paths relative to the artifact, no
 * temporary ones, no dump of objects, which could be Secrets.
 */
export function describeFailure(stderr: string, workDirectory: string): string {
  const message = stderr
    .split('\n')
    .filter((line) => !isWarning(line))
    .join('\n')
    .replaceAll(`${workDirectory}/`, '')
    .replaceAll(workDirectory, '.')
    .replace(/^Error: /, '')
    .replace(/(?: in object)?(?:^|\s)(?:\{|map\[|apiVersion:|kind:|metadata:)[\s\S]*$/, ' (…)')
    .trim();
  const shown = message.length > longest ? `${message.slice(0, longest)}…` : message;
  return shown === '' ? 'kustomize failed without saying why' : `kustomize: ${shown}`;
}

/** What kustomize warns about, such as fields that are deprecated. */
export function warningsOf(stderr: string): string[] {
  return stderr
    .split('\n')
    .filter(isWarning)
    .map((line) => line.replace(/^# Warning:\s*/, ''));
}

/** `Kind.version.group/name.namespace` of an object that is there twice. */
export function duplicateIn(stderr: string): DuplicateObject | undefined {
  const [, kind, name] =
    /already registered id: ([A-Za-z0-9]+)\.[^/\s]*\/(\S+?)\.(?:\[noNs\]|[a-z0-9-]+)(?:['"\s]|$)/.exec(
      stderr,
    ) ?? [];
  return kind === undefined || name === undefined ? undefined : { kind, name };
}

function isWarning(line: string): boolean {
  return line.startsWith('# Warning:');
}
