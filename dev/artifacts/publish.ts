import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import type { PackedArtifact } from './pack.ts';
import type { ArtifactServer } from './server.ts';

const timeout = 30_000;

/** Which source object to publish, and what it says. */
export interface Publication {
  readonly namespace: string;
  readonly name: string;
  readonly revision: string;
  readonly kind?: 'ExternalArtifact' | 'GitRepository' | 'OCIRepository' | 'Bucket';
  /** Overrides the true digest, for tests of what must be refused. */
  readonly digest?: string;
  /** Status of the Ready condition; default True. */
  readonly ready?: 'True' | 'False';
}

/** Serves an artifact and points a Flux source object at it, as its controller would. */
export async function publish(
  client: KubernetesClient,
  server: ArtifactServer,
  publication: Publication,
  artifact: PackedArtifact,
): Promise<void> {
  const { namespace, name, revision, kind = 'ExternalArtifact', ready = 'True' } = publication;
  const digest = publication.digest ?? artifact.digest;
  const path = `/${kind.toLowerCase()}/${namespace}/${name}/${artifact.digest.slice(7)}.tar.gz`;
  const url = server.serve(path, artifact);
  const source: KubernetesObject = {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind,
    metadata: { name, namespace },
    spec: specOf(kind, name),
  };
  const now = new Date().toISOString();
  const status = {
    artifact: { url, digest, revision, path: path.slice(1), lastUpdateTime: now },
    conditions: [
      {
        type: 'Ready',
        status: ready,
        reason: ready === 'True' ? 'Succeeded' : 'Failed',
        message: `stored artifact for revision '${revision}'`,
        lastTransitionTime: now,
      },
    ],
  };
  const call = { signal: AbortSignal.timeout(timeout) };
  const fieldManager = 'artifact-publisher';
  await client.apply(source, { fieldManager, force: true }, call);
  await client.patch(
    { apiVersion: source.apiVersion, kind, namespace, name },
    { type: 'Merge', body: { status }, fieldManager, subresource: 'status' },
    call,
  );
}

function specOf(kind: string, name: string): Record<string, unknown> {
  switch (kind) {
    case 'GitRepository':
      return { interval: '1h', url: 'https://git.example.com/repository.git' };
    case 'OCIRepository':
      return { interval: '1h', url: 'oci://registry.example.com/artifacts' };
    case 'Bucket':
      return { interval: '1h', endpoint: 's3.example.com', bucketName: name };
    default:
      return {};
  }
}
