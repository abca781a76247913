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
  if (/^panic: |^goroutine \d+ \[/m.test(stderr)) {
    return 'kustomize crashed at what it was given; look for unusual fields or patches in it';
  }
  const message = withoutInput(withoutPaths(stderr, workDirectory))
    .split('\n')
    .filter((line) => !isWarning(line))
    .join('\n')
    .replace(/^Error: /, '')
    .replace(/(?: in object)?(?:^|\s)(?:\{|map\[|apiVersion:|kind:|metadata:)[\s\S]*$/, ' (…)')
    .trim();
  const shown = message.length > longest ? `${message.slice(0, longest)}…` : message;
  return shown === '' ? 'kustomize failed without saying why' : `kustomize: ${shown}`;
}

function withoutPaths(stderr: string, workDirectory: string): string {
  return stderr.replaceAll(`${workDirectory}/`, '').replaceAll(workDirectory, '.');
}

/**
 * Without the parts in which kustomize repeats what it was given: configurations of plugins, patches,
 * and what generators make Secrets from.
 */
function withoutInput(stderr: string): string {
  return stderr
    .replace(/(trouble configuring builtin \w+) with config: `[\s\S]*\n`/, '$1')
    .replace(/\s*(?:from |for )?\[patch: "(?:[^"\\]|\\.)*"\]/g, '')
    .replace(
      /literal sources \[[\s\S]*\]: invalid literal source [\s\S]*, expected/,
      'literal sources: expected',
    )
    .replace(
      /(env source files: \[[^\]\n]*\]): line [\s\S]*/,
      '$1: a line is not UTF-8 or has no valid key',
    );
}

/** What kustomize warns about, such as fields that are deprecated. */
export function warningsOf(stderr: string, workDirectory: string): string[] {
  return withoutPaths(stderr, workDirectory)
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
