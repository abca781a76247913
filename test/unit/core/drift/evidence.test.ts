import { expect } from 'chai';
import { describeDrift } from '../../../../src/core/drift/evidence.ts';
import type { JsonObject, KubernetesObject } from '../../../../src/types/kubernetes.ts';

const ours = 'stageset-controller';

function managed(
  manager: string,
  time: string,
  fieldsV1: JsonObject,
  rest: object = {},
): JsonObject {
  return { manager, operation: 'Update', time: `2026-01-01T12:${time}Z`, fieldsV1, ...rest };
}

function configMap(
  data: Record<string, string>,
  managedFields: readonly JsonObject[] = [],
): KubernetesObject {
  const metadata = { name: 'web', namespace: 'team', uid: 'uid-1' };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...metadata, managedFields: [...managedFields] },
    data,
  };
}

function deployment(spec: JsonObject, managedFields: readonly JsonObject[] = []): KubernetesObject {
  const metadata = {
    name: 'web',
    namespace: 'team',
    uid: 'uid-1',
    managedFields: [...managedFields],
  };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec };
}

const told = (before: KubernetesObject, after: KubernetesObject): string =>
  describeDrift(before, after, ours);

describe('what is told of a corrected object', () => {
  it('is its name alone where nobody looked before', () => {
    expect(describeDrift('Unread', configMap({}), ours)).to.equal('ConfigMap/team/web');
  });

  it('says that it was deleted', () => {
    expect(describeDrift(undefined, configMap({}), ours)).to.equal('ConfigMap/team/web (deleted)');
  });

  it('names the field and the manager that wrote it last', () => {
    const colour = { 'f:data': { 'f:colour': {} } };
    const before = configMap({ colour: 'red', size: 'large' }, [
      managed('kubectl-create', '00:00', colour),
      managed('kubectl-edit', '30:00', colour),
      managed('helm', '10:00', { 'f:data': { 'f:size': {} } }),
    ]);
    expect(told(before, configMap({ colour: 'green', size: 'large' }))).to.equal(
      'ConfigMap/team/web (data.colour by kubectl-edit)',
    );
  });

  it('names no manager of a field that was taken away', () => {
    const before = configMap({}, [managed('helm', '00:00', { 'f:data': { 'f:size': {} } })]);
    expect(told(before, configMap({ colour: 'green' }))).to.equal(
      'ConfigMap/team/web (data.colour)',
    );
  });

  it('groups fields by manager', () => {
    const before = configMap({ a: '1', b: '1', c: '1' }, [
      managed('one', '00:00', { 'f:data': { 'f:a': {}, 'f:c': {} } }),
      managed('two', '00:00', { 'f:data': { 'f:b': {} } }),
    ]);
    expect(told(before, configMap({ a: '2', b: '2', c: '2' }))).to.equal(
      'ConfigMap/team/web (data.a, data.c by one; data.b by two)',
    );
  });

  it('never names ourselves', () => {
    const colour = { 'f:data': { 'f:colour': {} } };
    const before = configMap({ colour: 'red' }, [managed(ours, '59:00', colour)]);
    expect(told(before, configMap({ colour: 'green' }))).to.equal(
      'ConfigMap/team/web (data.colour)',
    );
  });

  it('never has a value', () => {
    const before = configMap({ password: 'wrong horse' });
    const after = configMap({ password: 'correct horse' });
    expect(told(before, after)).to.equal('ConfigMap/team/web (data.password)');
  });

  it('names an item of a list by the keys that managers use', () => {
    const containers = (image: string): JsonObject => ({
      template: {
        spec: {
          containers: [
            { name: 'log', image: 'log' },
            { name: 'web', image },
          ],
        },
      },
    });
    const image = { 'k:{"name":"web"}': { 'f:image': {} } };
    const fields = { 'f:spec': { 'f:template': { 'f:spec': { 'f:containers': image } } } };
    const before = deployment(containers('evil'), [managed('kubectl-set', '00:00', fields)]);
    expect(told(before, deployment(containers('good')))).to.equal(
      'Deployment/team/web (spec.template.spec.containers[name=web].image by kubectl-set)',
    );
  });

  it('names an item by all of its keys', () => {
    const ports = (target: number): JsonObject => ({
      ports: [{ port: 80, protocol: 'TCP', targetPort: target }],
    });
    const item = { 'k:{"port":80,"protocol":"TCP"}': { 'f:targetPort': {} } };
    const before = deployment(ports(1), [managed('x', '00:00', { 'f:spec': { 'f:ports': item } })]);
    expect(told(before, deployment(ports(2)))).to.equal(
      'Deployment/team/web (spec.ports[port=80,protocol=TCP].targetPort by x)',
    );
  });

  it('names a list without keys as a whole, and who claims it as a whole', () => {
    const args = { 'f:spec': { 'f:args': {} } };
    const before = deployment({ args: ['a'] }, [managed('x', '00:00', args)]);
    expect(told(before, deployment({ args: ['b'] }))).to.equal(
      'Deployment/team/web (spec.args by x)',
    );
  });

  it('names a field inside of what somebody claims as a whole', () => {
    const selector = { 'f:spec': { 'f:selector': {} } };
    const before = deployment({ selector: { app: 'x' } }, [managed('x', '00:00', selector)]);
    expect(told(before, deployment({ selector: { app: 'web' } }))).to.equal(
      'Deployment/team/web (spec.selector.app by x)',
    );
  });

  it('leaves out what moves with every write, and the status', () => {
    const before = { ...configMap({ a: '1' }), status: { phase: 'old' } };
    const after = { ...configMap({ a: '1' }), status: { phase: 'new' } };
    after.metadata.resourceVersion = '7';
    after.metadata.generation = 2;
    expect(told(before, after)).to.equal('ConfigMap/team/web');
  });

  it('puts names that are no words into brackets', () => {
    const before = configMap({});
    const after = configMap({ 'tls.crt': 'x' });
    after.metadata.labels = { 'app.kubernetes.io/name': 'web' };
    expect(told(before, after)).to.equal('ConfigMap/team/web (metadata.labels, data[tls.crt])');
  });

  it('takes no one for a manager whose fields belong to the status', () => {
    const fields = { 'f:spec': { 'f:replicas': {} } };
    const before = deployment({ replicas: 1 }, [
      managed('kube-controller-manager', '00:00', fields, { subresource: 'status' }),
      managed('hpa', '00:00', fields, { subresource: 'scale' }),
    ]);
    expect(told(before, deployment({ replicas: 2 }))).to.equal(
      'Deployment/team/web (spec.replicas by hpa)',
    );
  });

  it('names ten fields at most, and says that there are more', () => {
    const many = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`k${index}`, 'x']));
    const none = Object.fromEntries(Object.keys(many).map((name) => [name, 'y']));
    expect(told(configMap(none), configMap(many))).to.equal(
      'ConfigMap/team/web (data.k0, data.k1, data.k2, data.k3, data.k4, data.k5, data.k6, ' +
        'data.k7, data.k8, data.k9; and more)',
    );
  });

  it('survives field sets that are none', () => {
    const broken: JsonObject[] = [
      {},
      { manager: 'x' },
      { manager: 1, fieldsV1: {} },
      managed('x', '00:00', { 'k:{broken': {}, 'f:data': 'text' }),
    ];
    const before = configMap({ colour: 'red' }, broken);
    expect(told(before, configMap({ colour: 'green' }))).to.equal(
      'ConfigMap/team/web (data.colour)',
    );
  });
});
