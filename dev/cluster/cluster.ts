import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assetsDirectory } from '../assets/locate.ts';
import { type RunResult, run } from '../process/run.ts';
import { type Progress, progressOnStderr } from '../progress.ts';
import { apiServer } from './api-server.ts';
import { ControlPlane } from './control-plane.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { type Layout, writeLayout } from './layout.ts';
import { type CertificateFiles, createPki, issueUser, type Pki } from './pki.ts';
import { freePorts } from './ports.ts';
import { NotReadyError } from './readiness.ts';
import { Supervision } from './supervision.ts';

export interface ClusterOptions {
  /** A DNS label; appears in paths and in the kubeconfig. `test` unless named. */
  name?: string;
  /** Also run kube-controller-manager; `without` unless named. */
  controllerManager?: 'with' | 'without';
  /** More flags for kube-apiserver; where ours has the same flag, this one wins. */
  apiServerArguments?: readonly string[];
  /** Told about the getting of binaries; stderr unless named. */
  progress?: Progress;
  /** Gives up the start and leaves nothing behind. A started cluster ends by `stop` only. */
  signal?: AbortSignal;
}

interface KubectlOptions {
  /** Text for `kubectl -f -`. */
  input?: string;
  /** Another identity, from {@link Cluster.kubeconfigFor}; the admin's unless named. */
  kubeconfig?: string;
  signal?: AbortSignal;
}

/**
 * A running throwaway cluster. Its processes and its directory are gone after `stop`, and also when
 * the process that started it ends in whatever way.
 */
export interface Cluster {
  name: string;
  /** Temporary directory with keys, data and the components' logs (`kube-apiserver.log` ...). */
  directory: string;
  /** Directory with kubectl, kustomize and the rest. */
  assets: string;
  /** File: a user in system:masters. */
  kubeconfig: string;
  /** `https://127.0.0.1:PORT`. */
  url: string;
  port: number;
  /** Files: the authority of the API server and of all its clients. */
  ca: CertificateFiles;
  /** Files: the authority of `requestheader-client-ca-file`. */
  frontProxyCa: CertificateFiles;
  /** Files: how kube-apiserver logs in at an aggregated API server. */
  frontProxyClient: CertificateFiles;
  /** Runs the pinned kubectl; a failing command is a result, not an error. A minute at most. */
  kubectl: (args: readonly string[], options?: KubectlOptions) => Promise<RunResult>;
  /** Writes a kubeconfig with a client certificate for this user and these groups. */
  kubeconfigFor: (user: string, groups?: readonly string[]) => Promise<string>;
  /** SIGKILL, waits for the end. */
  killApiServer: () => Promise<void>;
  /** Same port, same data; kills it first when it runs, resolves when it is ready. */
  restartApiServer: () => Promise<void>;
  /** SIGSTOP: connections stay open and nobody answers. */
  pauseApiServer: () => void;
  /** SIGCONT. */
  resumeApiServer: () => void;
  killEtcd: () => Promise<void>;
  /** Same port, same data; resolves when etcd is ready, and the API server where it runs. */
  restartEtcd: () => Promise<void>;
  killControllerManager: () => Promise<void>;
  /** Starts it also when the cluster was started without. */
  restartControllerManager: () => Promise<void>;
  /** Process ids by component, and the supervisor's. */
  processes: () => Record<string, number>;
  /** Lets the cluster outlive this process; whoever stops it sends SIGTERM to the supervisor. */
  detach: () => Promise<void>;
  /** Ends all processes and removes the directory; fine to call twice. */
  stop: () => Promise<void>;
}

const kubectlTimeout = 60_000;
const attempts = 3;
const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/;

/** What the directory of every cluster starts with. */
export const directoryPrefix = 'stageset-cluster-';

/** @throws Error when the name cannot be part of a path and of a kubeconfig */
export function checkName(name: string): void {
  if (!dnsLabel.test(name)) {
    throw new Error(
      `cluster name "${name}": must be 1 to 40 lower case letters, digits and dashes`,
    );
  }
}

/**
 * Starts etcd and kube-apiserver (and kube-controller-manager) on free ports of 127.0.0.1 and waits
 * until they are ready.
 *
 * @throws Error when a binary cannot be had or a component does not come up (with the tail of its
 *   log), or the signal's reason; nothing is left behind
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const name = options.name ?? 'test';
  checkName(name);
  const assets = await assetsDirectory(options.progress ?? progressOnStderr, options.signal);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(name, assets, options);
    } catch (error) {
      const again = error instanceof NotReadyError && error.portTaken && attempt < attempts;
      if (!again) {
        throw error;
      }
    }
  }
}

async function startOnce(name: string, assets: string, options: ClusterOptions): Promise<Cluster> {
  options.signal?.throwIfAborted();
  const directory = join(tmpdir(), `${directoryPrefix}${name}-${randomBytes(4).toString('hex')}`);
  const preparing = Promise.all([createPki(), freePorts(3)]);
  // Awaited below; until then, a supervisor that fails must be the error that is seen.
  preparing.catch(() => undefined);
  const supervision = await Supervision.in(directory);
  try {
    const [pki, [apiServerPort = 0, etcdPort = 0, etcdPeer = 0]] = await preparing;
    const layout = await writeLayout(
      { name, directory, assets, ports: { apiServer: apiServerPort, etcd: etcdPort, etcdPeer } },
      pki,
    );
    const controlPlane = new ControlPlane(supervision, {
      layout,
      pki,
      apiServer: apiServer(layout, options.apiServerArguments ?? []),
    });
    await controlPlane.startAll(options.controllerManager ?? 'without', options.signal);
    return clusterOf({ name, layout, pki, controlPlane, supervision });
  } catch (error) {
    await supervision.stop();
    throw error;
  }
}

interface Parts {
  name: string;
  layout: Layout;
  pki: Pki;
  controlPlane: ControlPlane;
  supervision: Supervision;
}

function clusterOf({ name, layout, pki, controlPlane, supervision }: Parts): Cluster {
  let users = 0;
  const server = { cluster: name, url: layout.url, ca: pki.ca.certificate };
  return {
    name,
    directory: layout.directory,
    assets: layout.assets,
    kubeconfig: layout.adminKubeconfig,
    url: layout.url,
    port: layout.ports.apiServer,
    ca: layout.ca,
    frontProxyCa: layout.frontProxyCa,
    frontProxyClient: layout.frontProxyClient,
    kubectl: async (args, kubectlOptions) => kubectl(layout, args, kubectlOptions),
    kubeconfigFor: async (user, groups = []) => {
      users += 1;
      const file = join(layout.directory, `user-${users}.kubeconfig`);
      const issued = await issueUser(pki.ca, user, groups);
      return writeKubeconfig(file, server, { user, ...issued });
    },
    killApiServer: async () => supervision.kill('kube-apiserver'),
    restartApiServer: async () => controlPlane.restartApiServer(),
    pauseApiServer: () => supervision.signal('kube-apiserver', 'SIGSTOP'),
    resumeApiServer: () => supervision.signal('kube-apiserver', 'SIGCONT'),
    killEtcd: async () => supervision.kill('etcd'),
    restartEtcd: async () => controlPlane.restartEtcd(),
    killControllerManager: async () => supervision.kill('kube-controller-manager'),
    restartControllerManager: async () => controlPlane.restartControllerManager(),
    processes: () => supervision.processes(),
    detach: async () => supervision.detach(),
    stop: async () => supervision.stop(),
  };
}

async function kubectl(
  layout: Layout,
  args: readonly string[],
  options: KubectlOptions = {},
): Promise<RunResult> {
  const deadline = AbortSignal.timeout(kubectlTimeout);
  return run(join(layout.assets, 'kubectl'), args, {
    input: options.input,
    environment: {
      KUBECONFIG: options.kubeconfig ?? layout.adminKubeconfig,
      // Its cache of the discovery must not end up in, or come from, the developer's home.
      KUBECACHEDIR: join(layout.directory, 'kubectl-cache'),
    },
    signal: options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline]),
  });
}
