import { TerminalError } from '../core/errors.ts';
import { blockYaml } from '../core/objects/block-yaml.ts';
import { describeObject } from '../core/objects/identity.ts';
import { type Manifest, readManifests } from '../core/objects/parse.ts';
import { substitute } from '../core/objects/substitution.ts';

/** Values by name; post-build substitution happens only where there are some (part A 4.5). */
export type Variables = ReadonlyMap<string, string>;

/** Whether substitution changes a text: `$name`, `$(name)` and a lone `$` stay as they are. */
function hasExpressions(text: string): boolean {
  return text.includes('${') || text.includes('$$');
}

/**
 * Manifests after substitution, which works on the text that kustomize would have written for them.
 *
 * @throws TerminalError naming the object.
 */
export function substituteManifests(
  manifests: readonly Manifest[],
  variables: Variables,
): readonly Manifest[] {
  if (variables.size === 0) return manifests;
  return manifests.flatMap((manifest) => {
    const { object } = manifest;
    if (!hasExpressions(JSON.stringify(object))) return [manifest];
    const text = blockYaml(object);
    if (text === undefined) throw new Error(`${describeObject(object)} is for kustomize to write`);
    return readSubstituted(text, describeObject(object), variables);
  });
}

/** Whether an object must be written by kustomize, since we do not know how it would write it. */
export function needsKustomizeText({ object }: Manifest, variables: Variables): boolean {
  if (variables.size === 0 || !hasExpressions(JSON.stringify(object))) return false;
  return blockYaml(object) === undefined;
}

/**
 * The manifests in the output of kustomize, after substitution.
 *
 * @throws TerminalError naming the object.
 */
export function readKustomizeOutput(output: Uint8Array, variables: Variables): readonly Manifest[] {
  const file = 'the output of kustomize';
  if (variables.size === 0 || !hasExpressions(Buffer.from(output).toString('latin1'))) {
    return readManifests([[file, output]], 'Kustomize').manifests;
  }
  // No line of a document starts with `---`: a document is a mapping, and what is in it is indented.
  const documents = Buffer.from(output)
    .toString('utf8')
    .split(/^---\n/m);
  return documents.flatMap((text) => {
    const read = (): readonly Manifest[] =>
      readManifests([[file, Buffer.from(text)]], 'Kustomize').manifests;
    if (!hasExpressions(text)) return read();
    return readSubstituted(
      text,
      read()
        .map(({ object }) => describeObject(object))
        .join(', '),
      variables,
    );
  });
}

/**
 * Reads what substitution has made of one object. It may be several: a value can hold anything.
 * Messages of the reader would quote the text, and so a value that may be secret: they are left out.
 */
function readSubstituted(text: string, what: string, variables: Variables): readonly Manifest[] {
  const substituted = substituteIn(text, what, variables);
  try {
    return readManifests([[what, Buffer.from(substituted)]], 'Kubernetes').manifests;
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    throw new TerminalError(
      `${what} is no Kubernetes object any more after the substitution of variables: a value has ` +
        'line breaks or characters that mean something in YAML, or is a number where text must be; ' +
        'change the value, or put the expression into a block of text (|)',
      { reason: 'StageFailed' },
    );
  }
}

function substituteIn(text: string, what: string, variables: Variables): string {
  try {
    return substitute(text, variables);
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    throw new TerminalError(`${what}: ${error.message}`, { reason: 'StageFailed' });
  }
}
