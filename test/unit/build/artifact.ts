import type { ArtifactFiles } from '../../../src/core/objects/artifact-files.ts';

/** Files of an artifact from their texts. */
export function filesOf(texts: Readonly<Record<string, string>>): ArtifactFiles {
  return new Map(Object.entries(texts).map(([path, text]) => [path, Buffer.from(text)] as const));
}

/** A ConfigMap's manifest. */
export function configMap(name: string, data = 'a: b'): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  ${data}\n`;
}
