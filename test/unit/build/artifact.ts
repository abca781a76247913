import type { ArtifactFiles } from '../../../src/core/objects/artifact-files.ts';

/** Files of an artifact from their texts. */
export function filesOf(texts: Readonly<Record<string, string>>): ArtifactFiles {
  return new Map(Object.entries(texts).map(([path, text]) => [path, Buffer.from(text)] as const));
}

/** A ConfigMap's manifest. */
export function configMap(name: string, data = 'a: b'): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  ${data}\n`;
}

/** What a promise was rejected with. @throws Error when it was not. */
export async function failureOf(work: Promise<unknown>): Promise<Error> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof Error) return outcome;
  throw new Error('This was expected to fail');
}
