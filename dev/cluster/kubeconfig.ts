import { writeFile } from 'node:fs/promises';
import type { KeyAndCertificate } from '../../src/certs/authority.ts';

/** Which server a kubeconfig is for; `ca` is PEM. */
export interface Server {
  cluster: string;
  url: string;
  ca: string;
}

/**
 * Writes a kubeconfig that logs in by client certificate, everything inside it. JSON, which is
 * YAML too.
 *
 * @returns the file
 */
export async function writeKubeconfig(
  file: string,
  server: Server,
  identity: KeyAndCertificate & { user: string },
): Promise<string> {
  const { cluster, url, ca } = server;
  const { user, certificate, privateKey } = identity;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: cluster, cluster: { server: url, 'certificate-authority-data': base64(ca) } },
    ],
    users: [
      {
        name: user,
        user: {
          'client-certificate-data': base64(certificate),
          'client-key-data': base64(privateKey),
        },
      },
    ],
    contexts: [{ name: cluster, context: { cluster, user } }],
    'current-context': cluster,
  };
  await writeFile(file, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
  return file;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
