import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import type { Cluster } from '../dev/cluster/cluster.ts';
import { freePorts } from '../dev/cluster/ports.ts';
import type { ControllerProcess } from '../dev/controller-process.ts';
import type { Playground } from '../dev/playground.ts';
import { run } from '../dev/process/run.ts';
import { bundlesIn } from '../src/certs/bundle-patch.ts';
import type { KubernetesObject } from '../src/types/kubernetes.ts';
import { startCagedPlayground } from './canary.ts';
import { untilObjects } from './watching.ts';

const base = fileURLToPath(new URL('../apiservice', import.meta.url));

export const system = 'stageset-system';
const services = ['stageset-controller-api', 'stageset-controller-webhook'];

/** The installation as kustomize renders it, and its objects. */
export interface Rendered {
  readonly text: string;
  readonly objects: readonly KubernetesObject[];
}

async function renderInstallation({ assets }: Cluster): Promise<Rendered> {
  const { code, stdout, stderr } = await run(join(assets, 'kustomize'), ['build', base]);
  if (code !== 0) throw new Error(`kustomize build failed: ${stderr}`);
  const objects = parseAllDocuments(stdout).map((document) => document.toJS() as KubernetesObject);
  return { text: stdout, objects };
}

/** Runs kubectl. @returns what it prints. @throws Error with its complaint. */
export async function kubectl(
  { cluster }: Playground,
  args: readonly string[],
  options: { input?: string; kubeconfig?: string } = {},
): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(args, options);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/**
 * Starts what a pod of the Deployment runs, as its ServiceAccount and with its arguments. As there is
 * neither kubelet nor kube-proxy, ports are free ones and the Services lead to this machine.
 */
export async function startInstalled(
  playground: Playground,
  { objects }: Rendered,
  further: readonly string[] = [],
): Promise<ControllerProcess> {
  const [port = 0, webhookPort = 0] = await freePorts(2);
  const external = ['--external-name=localhost', '-n', system];
  for (const service of services) {
    await kubectl(playground, ['delete', 'service', service, '-n', system]);
    await kubectl(playground, ['create', 'service', 'externalname', service, ...external]);
  }
  await leadWebhooksTo(playground, webhookPort);
  return await playground.startController({
    kubeconfig: await serviceAccountKubeconfig(playground),
    flags: [
      // The playground names these itself.
      ...argumentsOf(objects).filter((flag) => !/^--(api|metrics|health-probe)-bind-/.test(flag)),
      '--enable-webhook',
      `--webhook-port=${webhookPort}`,
      `--namespace=${system}`,
      `--api-bind-address=127.0.0.1:${port}`,
      `--api-service-port=${port}`,
      '--api-shutdown-delay=0s',
      ...further,
    ],
  });
}

/** Waits until the API server can verify every webhook. */
export async function untilBundlesWritten({ client }: Playground, bundle?: string): Promise<void> {
  for (const kind of ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration']) {
    const configurations = { apiVersion: 'admissionregistration.k8s.io/v1', kind };
    await untilObjects(client, configurations, (seen) => {
      const found = seen.get('stageset-controller');
      if (found === undefined) return undefined;
      const bundles = bundlesIn(found);
      const written = bundles.every((each) => each !== '' && (bundle ?? each) === each);
      return bundles.length > 0 && written ? true : undefined;
    });
  }
}

/** Lets the API server look for the webhooks at this port, for there is nobody to translate ports. */
async function leadWebhooksTo(playground: Playground, port: number): Promise<void> {
  for (const kind of ['validatingwebhookconfiguration', 'mutatingwebhookconfiguration']) {
    const name = 'stageset-controller';
    const read = await kubectl(playground, ['get', kind, name, '-o', 'json']);
    const { webhooks } = JSON.parse(read) as { webhooks: unknown[] };
    const path = (index: number): string => `/webhooks/${index}/clientConfig/service/port`;
    const patch = webhooks.map((_, index) => ({ op: 'replace', path: path(index), value: port }));
    const flags = ['--type=json', `--patch=${JSON.stringify(patch)}`];
    await kubectl(playground, ['patch', kind, name, ...flags]);
  }
}

/** The base installed in a cluster of its own, and what a pod of it runs. */
export interface Installation {
  readonly playground: Playground;
  readonly rendered: Rendered;
  readonly running: ControllerProcess;
}

/**
 * Installs the base as a user does, and waits until the API server can verify what is served. The
 * cluster has controllers: they aggregate ClusterRoles, make pods and collect garbage.
 */
export async function install(name: string): Promise<Installation> {
  const playground = await startCagedPlayground({ name, controllerManager: 'with' });
  try {
    const rendered = await renderInstallation(playground.cluster);
    await kubectl(playground, ['apply', '--server-side', '-f', '-'], { input: rendered.text });
    const running = await startInstalled(playground, rendered);
    await untilBundlesWritten(playground);
    return { playground, rendered, running };
  } catch (error) {
    await playground.stop();
    throw error;
  }
}

/** What the Deployment passes to its container. */
function argumentsOf(objects: readonly KubernetesObject[]): string[] {
  const deployment = objects.find(({ kind }) => kind === 'Deployment');
  const { spec } = JSON.parse(JSON.stringify(deployment)) as {
    spec: { template: { spec: { containers: { args: string[] }[] } } };
  };
  return spec.template.spec.containers.flatMap(({ args }) => args);
}

async function serviceAccountKubeconfig(playground: Playground): Promise<string> {
  const { ca, directory, url } = playground.cluster;
  const token = await kubectl(playground, ['create', 'token', 'stageset-controller', '-n', system]);
  const cluster = { server: url, 'certificate-authority': ca.certificate };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'installed', cluster }],
    users: [{ name: 'stageset-controller', user: { token: token.trim() } }],
    contexts: [
      { name: 'installed', context: { cluster: 'installed', user: 'stageset-controller' } },
    ],
    'current-context': 'installed',
  };
  const file = join(directory, 'stageset-controller.kubeconfig');
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}
