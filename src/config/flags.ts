import { apiFlags } from './api-flags.ts';
import type { Flag } from './flag.ts';
import { webhookFlags } from './webhook-flags.ts';

const cluster = 'Cluster:';
const reconciling = 'Reconciling:';
const tenancy = 'Tenancy:';
const clouds = 'Clouds:';
const serving = 'Serving:';
const logging = 'Logging:';
const development = 'Development only:';

/** The flags of this build, in the order of `--help` (part B 8.1; the last ones are our own). */
export const flags = [
  {
    name: 'kubeconfig',
    takes: 'Value',
    placeholder: 'path',
    group: cluster,
    description:
      'File with the way to the cluster. Empty: $KUBECONFIG, then ~/.kube/config, then the ' +
      "pod's ServiceAccount",
    defaultText: '',
  },
  {
    name: 'namespace',
    takes: 'Value',
    placeholder: 'name',
    group: cluster,
    description: 'Namespace of the leader lease. Empty: the one that the kubeconfig or pod is in',
    defaultText: '',
    environment: 'POD_NAMESPACE',
  },
  {
    name: 'leader-elect',
    takes: 'Boolean',
    placeholder: 'boolean',
    group: cluster,
    description:
      'Reconcile only while holding the lease stageset-controller.stages.metio.wtf. Needed for ' +
      'more than one replica',
    defaultText: 'false',
  },
  {
    name: 'watch-namespaces',
    takes: 'Value',
    placeholder: 'names',
    group: cluster,
    description: 'Namespaces to watch, with commas between them. Empty: all',
    defaultText: '',
    environment: 'STAGESET_WATCH_NAMESPACES',
  },
  {
    name: 'default-interval',
    takes: 'Value',
    placeholder: 'duration',
    group: reconciling,
    description: 'Time between two reconciles of a StageSet without spec.interval',
    defaultText: '10m',
  },
  {
    name: 'inventory-shard-cap',
    takes: 'Value',
    placeholder: 'count',
    group: reconciling,
    description: 'Most entries in one StageInventory; a stage with more objects gets several',
    defaultText: '5000',
  },
  {
    name: 'drift-watch',
    takes: 'Boolean',
    placeholder: 'boolean',
    group: reconciling,
    description:
      'Watch applied objects, so that drift is corrected and readiness is seen at once, and not ' +
      'only at intervals',
    defaultText: 'true',
  },
  {
    name: 'max-teardown-wait',
    takes: 'Value',
    placeholder: 'duration',
    group: reconciling,
    description:
      'How long a deleted StageSet may wait for its objects before its finalizer is dropped by ' +
      'force. 0 means 1h',
    defaultText: '1h',
  },
  {
    name: 'kustomize-binary',
    takes: 'Value',
    placeholder: 'program',
    group: reconciling,
    description: 'Name or path of the kustomize program that builds stages',
    defaultText: 'kustomize',
  },
  {
    name: 'decryption-directory',
    takes: 'Value',
    placeholder: 'path',
    group: reconciling,
    description:
      'Directory in memory (tmpfs) where decrypted files are put for kustomize while it builds',
    defaultText: '/dev/shm',
  },
  {
    name: 'runbook-base-url',
    takes: 'Value',
    placeholder: 'url',
    group: reconciling,
    description: 'Where Ready messages send the operator: this URL and the reason in lower case',
    defaultText: 'https://stages.metio.wtf/runbooks/',
  },
  {
    name: 'no-cross-namespace-refs',
    takes: 'Boolean',
    placeholder: 'boolean',
    group: tenancy,
    description: 'Refuse sourceRef and dependsOn that name another namespace',
    defaultText: 'false',
  },
  {
    name: 'allowed-action-hosts',
    takes: 'Values',
    placeholder: 'glob',
    group: tenancy,
    description:
      'Host that http actions may call and metrics may be read from, as a glob with *, ? and []. ' +
      'Repeatable; without one, every host is allowed. Loopback, link-local and metadata addresses ' +
      'never are',
  },
  {
    name: 'require-verified-migration-sources',
    takes: 'Boolean',
    placeholder: 'boolean',
    group: tenancy,
    description:
      'Take migrations only from sources whose signature was verified. A signature that is wrong is ' +
      'refused in any case',
    defaultText: 'false',
  },
  {
    name: 'require-pinned-migration-sources',
    takes: 'Boolean',
    placeholder: 'boolean',
    group: tenancy,
    description:
      'Take migrations only from sources that are fixed: an OCIRepository by digest, a GitRepository ' +
      'by commit, or an ExternalArtifact',
    defaultText: 'false',
  },
  {
    name: 'default-service-account',
    takes: 'Value',
    placeholder: 'name',
    group: tenancy,
    description:
      'ServiceAccount of StageSets that name none, where their namespace has no annotation ' +
      'stages.metio.wtf/default-service-account. Empty: such StageSets act as the controller',
    defaultText: '',
  },
  {
    name: 'cloud-endpoint',
    takes: 'Values',
    placeholder: 'service=url',
    group: clouds,
    description:
      'Address of a service of a cloud that is not the usual one, such as a private endpoint: ' +
      'aws-sts, aws-kms, aws-eks, gcp-sts, gcp-iam, gcp-kms, gcp-container, azure-authority or ' +
      'azure-management. Repeatable',
  },
  {
    name: 'cloud-endpoint-ca-file',
    takes: 'Value',
    placeholder: 'path',
    group: clouds,
    description:
      'File with the authorities (PEM) that the addresses of --cloud-endpoint have their ' +
      'certificates from. Empty: the public ones',
    defaultText: '',
  },
  {
    name: 'object-level-kms',
    takes: 'Boolean',
    placeholder: 'boolean',
    group: tenancy,
    description:
      'Have key services of clouds open encrypted files as the ServiceAccount of a StageSet, where ' +
      "it has one, and never with the controller's own identity then",
    defaultText: 'false',
  },
  {
    name: 'metrics-bind-address',
    takes: 'Value',
    placeholder: 'address',
    group: serving,
    description: 'Where /metrics is served, as host:port or :port. 0: nowhere',
    defaultText: ':8080',
  },
  {
    name: 'health-probe-bind-address',
    takes: 'Value',
    placeholder: 'address',
    group: serving,
    description: 'Where /healthz and /readyz are served, as host:port or :port',
    defaultText: ':8081',
  },
  {
    name: 'gate-bind-address',
    takes: 'Value',
    placeholder: 'address',
    group: serving,
    description:
      'Where /gate/{namespace}/{stageset}/{stage} tells whether a stage is ready, as host:port or ' +
      ':port. Empty: nowhere. Served with the role controller',
    defaultText: ':8082',
  },
  ...apiFlags,
  ...webhookFlags,
  {
    name: 'log-level',
    takes: 'Value',
    placeholder: 'level',
    group: logging,
    description: 'Least urgent lines to write: debug, info, warn or error',
    defaultText: 'info',
  },
  {
    name: 'log-format',
    takes: 'Value',
    placeholder: 'format',
    group: logging,
    description: 'json: one object a line; text: for reading',
    defaultText: 'json',
  },
  {
    name: 'allowed-artifact-hosts',
    takes: 'Values',
    placeholder: 'host',
    group: development,
    description:
      'Host or host:port that artifacts may be fetched from even if its address is loopback or ' +
      'link-local. This opens the controller to whoever can write a source: never set it in ' +
      'production. Repeatable',
  },
  {
    name: 'allowed-cluster-hosts',
    takes: 'Values',
    placeholder: 'host',
    group: development,
    description:
      'Host or host:port that spec.kubeConfig may lead to even if its address is loopback or ' +
      'link-local. This opens the controller to whoever can write a StageSet: never set it in ' +
      'production. Repeatable',
  },
  {
    name: 'local-action-hosts',
    takes: 'Values',
    placeholder: 'host',
    group: development,
    description:
      'Host or host:port that http actions may call and metrics may be read from even if its address ' +
      'is loopback or link-local. ' +
      'This opens the controller to whoever can write a StageSet: never set it in production. ' +
      'Repeatable',
  },
] as const satisfies readonly Flag[];

/** The name of a flag of this build. */
export type FlagName = (typeof flags)[number]['name'];
