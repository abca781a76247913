/** Objects that an API server is asked about, and what it must say. Written as a user would. */

type Fields = Record<string, unknown>;

/** An object, and the fields that a refusal must name; none: it must be accepted. */
export interface Case {
  readonly title: string;
  readonly object: Fields;
  readonly refused: readonly string[];
}

const sourceRef = { name: 'shop' };
const selector = { matchLabels: { app: 'shop' } };
const prometheus = { address: 'http://prometheus.monitoring:9090', query: 'vector(1)' };

function object(kind: string, spec: Fields | undefined, metadata: Fields = {}): Fields {
  const fields = {
    apiVersion: 'stages.metio.wtf/v1',
    kind,
    metadata: { name: 'asked', ...metadata },
  };
  return spec === undefined ? fields : { ...fields, spec };
}

const stageSet = (spec: Fields): Fields =>
  object('StageSet', { stages: [{ name: 'backend', sourceRef }], ...spec }, namespaced);
const namespaced = { namespace: 'default' };

const stage = (fields: Fields): Fields =>
  stageSet({ stages: [{ name: 'backend', sourceRef, ...fields }] });
const preAction = (fields: Fields): Fields =>
  stage({ actions: { pre: [{ name: 'migrate', ...fields }] } });
const promotion = (fields: Fields): Fields => stage({ promotion: fields });
const fleet = (spec: Fields): Fields =>
  object('FleetRollout', { selector, waves: [{ name: 'canary', selector }], ...spec });
const policy = (spec: Fields): Fields => object('ImageVerificationPolicy', spec);
const inventory = (spec: Fields): Fields => object('StageInventory', spec, namespaced);
const ledger = (spec: Fields): Fields => object('StageLedger', spec, namespaced);

const accepted = (title: string, value: Fields): Case => ({ title, object: value, refused: [] });
const refused = (title: string, value: Fields, ...fields: string[]): Case => ({
  title,
  object: value,
  refused: fields,
});

const at = 'spec.stages[0]';
const durations = [
  ...['0', '+0', '0s', '90s', '1h30m', '1.5h', '.5s', '1.s', '-5m', '100us', '1µs', '1μs', '3ns'],
].map((interval) => accepted(`interval ${JSON.stringify(interval)}`, stageSet({ interval })));
const notDurations = ['', '5', '1d', '1h 30m', '1h-30m', 'h', '.s', '1m\n', ' 1m', '00'].map(
  (interval) =>
    refused(`interval ${JSON.stringify(interval)}`, stageSet({ interval }), 'spec.interval'),
);

const everything = stageSet({
  interval: '10m',
  retryInterval: '1m',
  driftDetectionInterval: '2m',
  timeout: '5m',
  onTimeout: 'Hold',
  suspend: false,
  dependsOn: [{ name: 'base', namespace: 'platform', minVersion: '1.2.0' }],
  serviceAccountName: 'shop',
  kubeConfig: { secretRef: { name: 'remote', key: 'config' } },
  decryption: { provider: 'sops', secretRef: { name: 'keys' } },
  version: { fromObject: { kind: 'Deployment', name: 'api' }, approvalMode: 'OnMigrations' },
  migrations: [
    {
      name: 'split-orders',
      from: '>=1.0.0',
      to: '2.0.0',
      stage: 'backend',
      actions: [{ name: 'migrate', job: { sourceRef, path: 'up' }, retries: 3 }],
      down: [{ name: 'unmigrate', job: { sourceRef, path: 'down' } }],
    },
  ],
  rollbackOnFailure: true,
  onRollback: [{ name: 'page', http: { url: 'https://hooks.example.com', method: 'POST' } }],
  updateWindows: [
    { type: 'Allow', schedule: '0 22 * * MON-FRI', duration: '4h', timeZone: 'Europe/Berlin' },
    { type: 'Deny', from: '2030-12-20T00:00:00Z', to: '2031-01-02T00:00:00+01:00' },
  ],
  windowScope: 'Updates',
  errorBudget: { source: { prometheus }, freezeThreshold: '0.1', resumeThreshold: '0.25' },
  stages: [
    {
      name: 'backend',
      migrationAnchor: 'database',
      sourceRef: {
        apiVersion: 'source.toolkit.fluxcd.io/v1',
        kind: 'OCIRepository',
        name: 'shop',
        namespace: 'flux-system',
      },
      path: './deploy',
      prune: false,
      force: true,
      conflictPolicy: {
        rules: [{ target: { kind: 'Job' }, action: 'Recreate', allowDataLoss: false }],
      },
      applyHelmHookResources: false,
      patches: [{ patch: '[]', target: { kind: 'Deployment', labelSelector: 'app=shop' } }],
      postBuild: {
        substitute: { region: 'eu' },
        substituteFrom: [{ kind: 'Secret', name: 'shop', optional: true }],
      },
      actions: {
        pre: [
          {
            name: 'scale',
            scope: 'Version',
            timeout: '1m',
            patch: {
              target: {
                kind: 'Deployment',
                selector: { matchExpressions: [{ key: 'a', operator: 'Exists' }] },
              },
              type: 'json6902',
              patch: '[]',
            },
          },
          {
            name: 'create-schema',
            scope: 'Lifetime',
            completionAnchor: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name: 'data' },
            apply: { sourceRef, wait: true },
          },
          { name: 'pause', wait: { duration: '30s' } },
        ],
        post: [
          { name: 'clean', delete: { target: { kind: 'Job', name: 'old' }, cascade: 'Orphan' } },
        ],
        onFailure: [
          { name: 'tell', http: { url: 'https://a.example', bodyFrom: { name: 'b', key: 'c' } } },
        ],
      },
      readyChecks: {
        timeout: '3m',
        checks: [{ kind: 'Certificate', name: 'shop' }],
        exprs: [{ apiVersion: 'example.com/v1', kind: 'Db', current: 'true', failed: 'false' }],
      },
      promotion: {
        soak: '30m',
        requireManualPromotion: true,
        fastTrack: { source: { prometheus }, max: '0.001', after: '5m' },
        analysis: {
          checks: [{ name: 'errors', source: { prometheus }, threshold: { max: '0.05' } }],
          failureLimit: 2,
        },
        restartGate: { checks: [{ name: 'api', selector, maxRestarts: 1 }], onFailure: 'Rollback' },
        eventGate: { checks: [{ name: 'api', selector, reasons: ['BackOff'] }] },
      },
      errorBudget: {
        source: { webhook: { url: 'https://slo.example.com', jsonPath: '{.left}' } },
        freezeThreshold: '0',
      },
    },
  ],
});

export const cases: readonly Case[] = [
  accepted('a minimal StageSet', stageSet({})),
  accepted('a StageSet without spec', object('StageSet', undefined, namespaced)),
  accepted('a StageSet that uses nearly every field', everything),
  accepted('fields that nobody knows', { ...stage({ later: 1 }), extra: {} }),
  accepted('empty lists and empty texts', stage({ path: '', patches: [], actions: { pre: [] } })),
  accepted(
    'a null for an absent field',
    stage({ path: null, sourceRef: { ...sourceRef, kind: null } }),
  ),
  accepted('a null for a variable', stage({ postBuild: { substitute: { a: null, b: 'c' } } })),
  accepted('a conflict policy without default', stage({ conflictPolicy: {} })),
  accepted('a producer kind', stage({ sourceRef: { ...sourceRef, kind: 'JsonnetSnippet' } })),
  ...durations,
  ...notDurations,

  refused('a StageSet without stages', object('StageSet', {}, namespaced), 'spec.stages'),
  refused('an empty list of stages', stageSet({ stages: [] }), 'spec.stages'),
  refused('a null for a required list', stageSet({ stages: null }), 'spec.stages'),
  refused('a null for a stage', stageSet({ stages: [null] }), at),
  refused('a stage that is a text', stageSet({ stages: ['backend'] }), at),
  refused(
    'a stage without name and source',
    stageSet({ stages: [{ sourceRef: {} }] }),
    `${at}.name`,
    `${at}.sourceRef.name`,
  ),
  ...['Backend', '', '-a', 'a-', 'a.b', 'a_b', 'a\n', 'ä'].map((name) =>
    refused(`stage name ${JSON.stringify(name)}`, stage({ name }), `${at}.name`),
  ),
  refused(
    'a name in upper case',
    object('StageSet', undefined, { ...namespaced, name: 'Shop' }),
    'metadata.name',
  ),
  refused('an unknown onTimeout', stageSet({ onTimeout: 'Wait' }), 'spec.onTimeout'),
  refused('an unknown windowScope', stageSet({ windowScope: 'updates' }), 'spec.windowScope'),
  refused('a text for a boolean', stageSet({ suspend: 'true' }), 'spec.suspend'),
  refused('a number for a text', stage({ path: 1 }), `${at}.path`),
  refused('an object for a list', stageSet({ dependsOn: {} }), 'spec.dependsOn'),
  refused('a dependency without name', stageSet({ dependsOn: [{}] }), 'spec.dependsOn[0].name'),
  refused('a kubeConfig without reference', stageSet({ kubeConfig: {} }), 'spec.kubeConfig'),
  refused(
    'a kubeConfig with both references',
    stageSet({ kubeConfig: { secretRef: { name: 'a' }, configMapRef: { name: 'b' } } }),
    'spec.kubeConfig',
  ),
  refused(
    'another decryption provider',
    stageSet({ decryption: { provider: 'age' } }),
    'spec.decryption.provider',
  ),
  refused('a window without type', stageSet({ updateWindows: [{}] }), 'spec.updateWindows[0].type'),
  ...[
    'tomorrow',
    '2030-02-30T00:00:00Z',
    '2030-01-01',
    '2030-01-01T24:00:00Z',
    '2030-01-01T00:00:00',
  ].map((from) =>
    refused(
      `a window from ${from}`,
      stageSet({ updateWindows: [{ type: 'Deny', from }] }),
      'spec.updateWindows[0].from',
    ),
  ),
  refused(
    'a threshold that is a number',
    stageSet({ errorBudget: { source: { prometheus }, freezeThreshold: 0.1 } }),
    'spec.errorBudget.freezeThreshold',
  ),
  refused(
    'an error budget without source',
    stageSet({ errorBudget: { freezeThreshold: '1' } }),
    'spec.errorBudget.source',
  ),
  refused(
    'a migration without name and version',
    stageSet({ migrations: [{}] }),
    'spec.migrations[0].name',
    'spec.migrations[0].to',
  ),
  refused(
    'an unknown approvalMode',
    stageSet({ version: { approvalMode: 'Sometimes' } }),
    'spec.version.approvalMode',
  ),
  refused(
    'a number for a variable',
    stage({ postBuild: { substitute: { replicas: 3 } } }),
    `${at}.postBuild.substitute`,
  ),
  refused(
    'an unknown conflict action',
    stage({ conflictPolicy: { default: 'Replace' } }),
    `${at}.conflictPolicy.default`,
  ),
  refused(
    'a conflict rule without target and action',
    stage({ conflictPolicy: { rules: [{}] } }),
    `${at}.conflictPolicy.rules[0].target`,
    `${at}.conflictPolicy.rules[0].action`,
  ),
  refused('an action without name', stage({ actions: { pre: [{}] } }), `${at}.actions.pre[0].name`),
  ...[-1, 101, 1.5, 2147483648, '3'].map((retries) =>
    refused(
      `retries ${JSON.stringify(retries)}`,
      preAction({ retries }),
      `${at}.actions.pre[0].retries`,
    ),
  ),
  ...[99, 600].map((status) =>
    refused(
      `expected status ${status}`,
      preAction({ http: { url: 'https://a.example', expectedStatus: [200, status] } }),
      `${at}.actions.pre[0].http.expectedStatus[1]`,
    ),
  ),
  refused('an unknown scope', preAction({ scope: 'Run' }), `${at}.actions.pre[0].scope`),
  refused(
    'an unknown method',
    preAction({ http: { url: 'https://a.example', method: 'TRACE' } }),
    `${at}.actions.pre[0].http.method`,
  ),
  refused(
    'a patch without patch',
    preAction({ patch: { target: { kind: 'Pod' } } }),
    `${at}.actions.pre[0].patch.patch`,
  ),
  refused(
    'half an anchor',
    preAction({ completionAnchor: { kind: 'PersistentVolumeClaim' } }),
    `${at}.actions.pre[0].completionAnchor.apiVersion`,
    `${at}.actions.pre[0].completionAnchor.name`,
  ),
  refused(
    'an analysis without checks',
    promotion({ analysis: { checks: [] } }),
    `${at}.promotion.analysis.checks`,
  ),
  refused(
    'a negative failureLimit',
    promotion({
      analysis: { failureLimit: -1, checks: [{ name: 'a', source: {}, threshold: {} }] },
    }),
    `${at}.promotion.analysis.failureLimit`,
  ),
  refused(
    'a fast track without bound',
    promotion({ fastTrack: { source: {} } }),
    `${at}.promotion.fastTrack.max`,
  ),
  refused(
    'a restart gate without checks',
    promotion({ restartGate: { checks: [] } }),
    `${at}.promotion.restartGate.checks`,
  ),
  refused(
    'two restart checks of one name',
    promotion({
      restartGate: {
        checks: [
          { name: 'a', selector },
          { name: 'a', selector },
        ],
      },
    }),
    `${at}.promotion.restartGate.checks[1]`,
  ),
  refused(
    'an event check without reasons',
    promotion({ eventGate: { checks: [{ name: 'a', selector, reasons: [] }] } }),
    `${at}.promotion.eventGate.checks[0].reasons`,
  ),

  accepted(
    'an inventory',
    inventory({ stagePosition: 0, entries: [{ id: '_shop__Namespace', v: 'v1' }] }),
  ),
  refused(
    'an inventory entry without version',
    inventory({ entries: [{ id: 'a' }] }),
    'spec.entries[0].v',
  ),
  refused(
    'a position beyond int32',
    inventory({ stagePosition: 2147483648 }),
    'spec.stagePosition',
  ),
  accepted('a ledger', ledger({ baseline: [{ stage: 'backend', action: 'create-schema' }] })),
  refused(
    'half a baseline entry',
    ledger({ baseline: [{ stage: 'backend' }] }),
    'spec.baseline[0].action',
  ),

  accepted('a fleet rollout', fleet({})),
  accepted(
    'a fleet rollout that can go back',
    fleet({ onRegression: 'Rollback', previousVersion: '1.0.0' }),
  ),
  refused('a fleet rollout without waves', fleet({ waves: [] }), 'spec.waves'),
  refused('a rollback to nowhere', fleet({ onRegression: 'Rollback' }), 'spec'),
  refused(
    'a rollback to an empty version',
    fleet({ onRegression: 'Rollback', previousVersion: '' }),
    'spec',
  ),
  refused(
    'a gate without threshold',
    fleet({ waves: [{ name: 'a', selector, gate: { source: {} } }] }),
    'spec.waves[0].gate.threshold',
  ),

  accepted(
    'an image policy',
    policy({ images: ['ghcr.io/acme/**'], authorities: [{ key: { publicKey: 'x' } }] }),
  ),
  refused('an image policy without images', policy({ images: [] }), 'spec.images'),
  refused(
    'a key without key',
    policy({ images: ['a'], authorities: [{ key: {} }] }),
    'spec.authorities[0].key.publicKey',
  ),
];
