import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KubernetesClient } from '../src/kubernetes/client.ts';
import { Connection } from '../src/kubernetes/connection.ts';
import { ArtifactServer } from './artifacts/server.ts';
import { fluxSourceCrds } from './assets/modules.ts';
import { type Cluster, type ClusterOptions, startCluster } from './cluster/cluster.ts';
import { type ControllerIdentities, installIdentities } from './controller-identity.ts';
import { ControllerProcess } from './controller-process.ts';

/** The source-controller version whose CRDs are installed: the newest with ExternalArtifact. */
export const fluxVersion = 'v1.9.6';

const crds = fileURLToPath(new URL('../crds', import.meta.url));

/**
 * A throwaway cluster with our CRDs, Flux's source CRDs and a server for artifacts: everything that a
 * controller needs around it, all of it real.
 */
export interface Playground {
  readonly cluster: Cluster;
  /** Acts as cluster admin. */
  readonly client: KubernetesClient;
  readonly artifacts: ArtifactServer;
  /** As whom controllers may be started. */
  readonly identities: ControllerIdentities;
  /** Starts a controller; the playground stops it in the end where nobody else did. */
  startController(options?: PlaygroundController): Promise<ControllerProcess>;
  stop(): Promise<void>;
}

export interface PlaygroundController {
  readonly flags?: readonly string[];
  /** Variables besides those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly onLog?: (line: string) => void;
  /**
   * Whether StageSets without a ServiceAccount can be carried out; `SingleTenant` unless named.
   * `Installed` has exactly the roles of the installation.
   */
  readonly rights?: 'Installed' | 'SingleTenant';
  /** Another way to the API server, such as one that leads through a fault proxy. */
  readonly kubeconfig?: string;
}

export async function startPlayground(options: ClusterOptions = {}): Promise<Playground> {
  const cluster = await startCluster(options);
  const running: ControllerProcess[] = [];
  let artifacts: ArtifactServer | undefined;
  let connection: Connection | undefined;
  const stop = async (): Promise<void> => {
    await Promise.allSettled(running.map(async (controller) => await controller.stop()));
    await artifacts?.stop();
    await connection?.close();
    await cluster.stop();
  };
  try {
    await installCrds(cluster, options.signal);
    const identities = await installIdentities(cluster);
    const server = await ArtifactServer.start();
    artifacts = server;
    connection = await Connection.open({ kind: 'File', path: cluster.kubeconfig });
    const client = KubernetesClient.connect(connection, { userAgent: 'playground' });
    const kubeconfigs = {
      Installed: identities.installed,
      SingleTenant: identities.singleTenant,
    } as const;
    const startController = async (
      asked: PlaygroundController = {},
    ): Promise<ControllerProcess> => {
      const controller = await ControllerProcess.start({
        kubeconfig: asked.kubeconfig ?? kubeconfigs[asked.rights ?? 'SingleTenant'],
        kustomizeBinary: join(cluster.assets, 'kustomize'),
        artifactHosts: [server.host],
        ...(asked.flags === undefined ? {} : { flags: asked.flags }),
        ...(asked.environment === undefined ? {} : { environment: asked.environment }),
        ...(asked.onLog === undefined ? {} : { onLog: asked.onLog }),
      });
      running.push(controller);
      return controller;
    };
    return { cluster, client, artifacts, identities, startController, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function installCrds(cluster: Cluster, signal: AbortSignal | undefined): Promise<void> {
  const flux = await fluxSourceCrds(fluxVersion, signal);
  const directories = [crds, flux];
  for (const directory of directories) {
    const files = (await readdir(directory)).filter((file) => file.endsWith('.yaml'));
    const flags = files.flatMap((file) => ['-f', join(directory, file)]);
    await mustSucceed(cluster, ['apply', '--server-side', ...flags]);
  }
  // A CRD has no conditions at first, and `--for=condition` takes that for an error.
  for (const state of ['jsonpath={.status.conditions[0].status}=True', 'condition=Established']) {
    await mustSucceed(cluster, ['wait', `--for=${state}`, 'crd', '--all', '--timeout=30s']);
  }
}

async function mustSucceed(cluster: Cluster, args: readonly string[]): Promise<void> {
  const { code, stderr } = await cluster.kubectl(args);
  if (code !== 0) throw new Error(`kubectl ${args.slice(0, 2).join(' ')} failed: ${stderr}`);
}
