import { freePorts } from './cluster/ports.ts';
import type { ControllerProcess } from './controller-process.ts';
import type { Playground, PlaygroundController } from './playground.ts';

const namespace = 'stageset-system';
/** The one that the roles of the installation name. */
const serviceName = 'stageset-controller-api';
const apiService = 'apiservice/v1.subresources.stages.metio.wtf';

/** A process with the aggregated API, reached through the real aggregator. */
export interface RunningApi {
  readonly process: ControllerProcess;
  /** Flags that every process of the same installation has. */
  readonly flags: readonly string[];
}

/**
 * Starts a controller that serves the aggregated API too, behind a Service that leads to this
 * machine, and waits until kube-apiserver passes requests on to it.
 */
export async function startApi(
  playground: Playground,
  { flags: further = [], ...options }: PlaygroundController = {},
): Promise<RunningApi> {
  const { flags, serving } = await prepareApi(playground);
  const all = ['--roles=controller,api', ...flags, ...serving, ...further];
  const process = await playground.startController({ ...options, flags: all });
  await untilServed(playground);
  return { process, flags };
}

/** Flags of an installation whose Service leads to this machine. */
export interface PreparedApi {
  /** That every process has. */
  readonly flags: readonly string[];
  /** That the one process with the role `api` has as well. */
  readonly serving: readonly string[];
}

export async function prepareApi(playground: Playground): Promise<PreparedApi> {
  const [port = 0] = await freePorts(1);
  await kubectl(playground, ['apply', '--server-side', '--force-conflicts', '-f', '-'], service);
  const flags = [
    `--namespace=${namespace}`,
    '--webhook-cert-mode=self-signed',
    `--api-service-name=${serviceName}`,
    `--api-service-port=${port}`,
  ];
  return {
    flags,
    serving: [`--api-bind-address=127.0.0.1:${port}`, '--api-shutdown-delay=0s'],
  };
}

/** Waits until kube-apiserver passes requests on. */
export async function untilServed(playground: Playground): Promise<void> {
  await kubectl(playground, ['wait', apiService, '--for=create', '--timeout=60s']);
  await kubectl(playground, ['wait', apiService, '--for=condition=Available', '--timeout=60s']);
}

async function kubectl(
  { cluster }: Playground,
  args: readonly string[],
  input?: string,
): Promise<void> {
  const { code, stderr } = await cluster.kubectl(args, input === undefined ? {} : { input });
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
}

/** Leads to this machine, to whichever port an APIService names. */
const service = `
apiVersion: v1
kind: Service
metadata:
  name: ${serviceName}
  namespace: ${namespace}
spec:
  type: ExternalName
  externalName: localhost
`;
