import { expect } from 'chai';
import { jobObjects } from '../../../../src/core/actions/job-objects.ts';
import { TerminalError } from '../../../../src/core/errors.ts';
import { readManifests } from '../../../../src/core/objects/parse.ts';
import { stringify } from '../../../../src/core/objects/yaml.ts';
import type { KubernetesObject } from '../../../../src/types/kubernetes.ts';

const owner = {
  stageSet: { namespace: 'team', name: 'shop' },
  stage: 'app',
  action: { name: 'migrate' },
  idempotencyKey: '5f2b',
  attempt: 1,
  epoch: '',
};
const job = { sourceRef: { name: 'migrations' } };

function scopeOf(_apiVersion: string, kind: string): 'Cluster' | 'Namespaced' {
  return kind === 'Namespace' || kind.startsWith('Cluster') ? 'Cluster' : 'Namespaced';
}

function read(text: string): KubernetesObject[] {
  const files = [['objects.yaml', Buffer.from(text)]] as const;
  return readManifests(files, 'Kustomize').manifests.map(({ object }) => object);
}

function made(text: string, revision = 'v1', who = owner): KubernetesObject[] {
  return jobObjects({ revision, objects: read(text) }, job, who, scopeOf);
}

/** What is made, without the marks that all of it carries. */
function plain(text: string): string {
  const objects = made(text).map(({ metadata, ...object }) => {
    const { name, namespace } = metadata;
    return { ...object, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
  });
  return stringify(objects);
}

function failure(text: string): unknown {
  try {
    made(text);
  } catch (error) {
    return error;
  }
  throw new Error('This was expected to fail');
}

const simple = `
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec: {ttlSecondsAfterFinished: 5, backoffLimit: 1}
`;

describe('the objects of a job action', () => {
  it('are called by the revision, the StageSet, the stage and the action', () => {
    const name = (objects: readonly KubernetesObject[]): string | undefined =>
      objects[0]?.metadata.name;
    // SHA-256 of "v1\nteam/shop/app/migrate".
    expect(name(made(simple))).to.equal('migrate-f87954ef');
    const names = [
      made(simple),
      made(simple, 'v2'),
      made(simple, 'v1', { ...owner, stage: 'web' }),
      made(simple, 'v1', { ...owner, action: { name: 'again' } }),
      made(simple, 'v1', { ...owner, stageSet: { ...owner.stageSet, name: 'other' } }),
      made(simple, 'v1', { ...owner, stageSet: { ...owner.stageSet, namespace: 'other' } }),
    ].map(name);
    expect(new Set(names).size).to.equal(6);
    expect(name(made(simple, 'v1', { ...owner, attempt: 2, idempotencyKey: '00' }))).to.equal(
      'migrate-f87954ef',
    );
  });

  it('carry the labels of their owner, and what attempt they are for', () => {
    const [object] = made(simple);
    expect(object?.metadata).to.deep.include({
      namespace: 'team',
      labels: {
        'stages.metio.wtf/name': 'shop',
        'stages.metio.wtf/namespace': 'team',
        'stages.metio.wtf/action': 'app.migrate',
      },
    });
    expect(object?.metadata.annotations?.['stages.metio.wtf/attempt']).to.equal('5f2b.1.');
    expect(object?.['spec']).to.deep.equal({ backoffLimit: 1 });
    const action = { name: `no label_${'x'.repeat(80)}` };
    const label = made(simple, 'v1', { ...owner, action })[0]?.metadata.labels;
    expect(label?.['stages.metio.wtf/action']).to.match(/^[0-9a-f]{32}$/);
  });

  it('tell nothing of the data of a Secret', () => {
    const marks = (data: string): unknown =>
      made(`${simple}---
apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {key: ${data}}
`)[1]?.metadata.annotations;
    expect(marks('one')).to.deep.equal(marks('two'));
  });

  it('refer to each other by their new names, and to all else by the old ones', () => {
    expect(
      plain(`
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  template:
    metadata: {labels: {secret: key}}
    spec:
      serviceAccountName: runner
      imagePullSecrets: [{name: key}, {name: not-ours}]
      nodeSelector: {serviceAccount: runner}
      initContainers:
      - name: settings
        envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: key, optional: true}}]
      containers:
      - name: key
        env:
        - {name: A, valueFrom: {secretKeyRef: {name: key, key: key}}}
        - {name: B, valueFrom: {configMapKeyRef: {name: settings, key: a}}}
        - {name: settings, value: settings}
        volumeMounts: [{name: key, mountPath: /key}]
      volumes:
      - {name: key, secret: {secretName: key}}
      - {name: settings, configMap: {name: settings}}
      - {name: foreign, configMap: {name: not-ours}}
      - {name: data, persistentVolumeClaim: {claimName: data}}
      - name: all
        projected:
          sources: [{secret: {name: key}}, {configMap: {name: settings}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
---
apiVersion: v1
kind: Secret
metadata: {name: key}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: runner}
imagePullSecrets: [{name: key}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: run}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: run}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: run}
subjects:
- {kind: ServiceAccount, name: runner, namespace: team}
- {kind: ServiceAccount, name: runner, namespace: elsewhere}
- {kind: User, name: runner}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: view, namespace: dropped}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: view}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: runner, namespace: team}]
`),
    ).to.equal(
      stringify(
        read(`
apiVersion: batch/v1
kind: Job
spec:
  template:
    metadata: {labels: {secret: key}}
    spec:
      serviceAccountName: runner-f87954ef
      imagePullSecrets: [{name: key-f87954ef}, {name: not-ours}]
      nodeSelector: {serviceAccount: runner}
      initContainers:
      - name: settings
        envFrom:
        - {configMapRef: {name: settings-f87954ef}}
        - {secretRef: {name: key-f87954ef, optional: true}}
      containers:
      - name: key
        env:
        - {name: A, valueFrom: {secretKeyRef: {name: key-f87954ef, key: key}}}
        - {name: B, valueFrom: {configMapKeyRef: {name: settings-f87954ef, key: a}}}
        - {name: settings, value: settings}
        volumeMounts: [{name: key, mountPath: /key}]
      volumes:
      - {name: key, secret: {secretName: key-f87954ef}}
      - {name: settings, configMap: {name: settings-f87954ef}}
      - {name: foreign, configMap: {name: not-ours}}
      - {name: data, persistentVolumeClaim: {claimName: data-f87954ef}}
      - name: all
        projected:
          sources: [{secret: {name: key-f87954ef}}, {configMap: {name: settings-f87954ef}}]
metadata: {name: migrate-f87954ef, namespace: team}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings-f87954ef, namespace: team}
---
apiVersion: v1
kind: Secret
metadata: {name: key-f87954ef, namespace: team}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data-f87954ef, namespace: team}
---
apiVersion: v1
kind: ServiceAccount
imagePullSecrets: [{name: key-f87954ef}]
metadata: {name: runner-f87954ef, namespace: team}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: run-f87954ef, namespace: team}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: run-f87954ef}
subjects:
- {kind: ServiceAccount, name: runner-f87954ef, namespace: team}
- {kind: ServiceAccount, name: runner, namespace: elsewhere}
- {kind: User, name: runner}
metadata: {name: run-f87954ef, namespace: team}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: view-f87954ef}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view-f87954ef}
subjects: [{kind: ServiceAccount, name: runner-f87954ef, namespace: team}]
metadata: {name: view-f87954ef}
`),
      ),
    );
  });

  it('do not refer to what has the same name in another namespace', () => {
    const text = plain(`
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec: {template: {spec: {serviceAccountName: runner}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: runner, namespace: elsewhere}
`);
    expect(text).to.include('"serviceAccountName":"runner"');
    expect(text).to.include('"name":"runner-f87954ef"');
  });

  it('are refused when two of them would get the same name', () => {
    const twin = (end: string): string => `
apiVersion: batch/v1
kind: Job
metadata: {name: ${'m'.repeat(54)}${end}}
`;
    const error = failure(`${twin('a')}---${twin('b')}`);
    expect(error).to.be.instanceOf(TerminalError);
    expect(error)
      .to.have.property('message')
      .that.includes(`would both be called ${'m'.repeat(54)}-f87954ef`);
  });

  it('are refused without a Job, and with what cannot have another name', () => {
    const space = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n';
    expect(failure(space)).to.have.property('message').that.includes('no Job to wait for');
    expect(failure(`${simple}---\n${space}`))
      .to.have.property('message')
      .that.includes('Namespace/other cannot be in the artifact of a job action');
  });
});
