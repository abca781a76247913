import { expect } from 'chai';
import { differsFrom, fieldChanges } from '../../../../src/core/plan/field-changes.ts';
import type { JsonObject, KubernetesObject } from '../../../../src/types/kubernetes.ts';

function object(kind: string, fields: JsonObject, metadata: JsonObject = {}): KubernetesObject {
  return { apiVersion: 'v1', kind, metadata: { name: 'web', ...metadata }, ...fields };
}

const none: ReadonlySet<string> = new Set();

describe('the fields that a plan shows', () => {
  it('have their values on both sides, and none on the side where there is none', () => {
    const before = object('ConfigMap', { data: { a: '1', b: '2' } });
    const after = object('ConfigMap', { data: { a: '1', b: '3', c: '4' } });
    expect(fieldChanges(before, after, 'us', none)).to.deep.equal([
      { path: 'data.b', from: '2', to: '3' },
      { path: 'data.c', to: '4' },
    ]);
  });

  it('are masked in a Secret, whatever was added, changed or removed', () => {
    const before = object('Secret', { data: { a: 'b25l', b: 'dHdv' } });
    const after = object('Secret', { data: { a: 'dHdv', c: 'dGhyZWU=' } });
    expect(fieldChanges(before, after, 'us', none)).to.deep.equal([
      { path: 'data.a', from: '***', to: '***' },
      { path: 'data.b', from: '***' },
      { path: 'data.c', to: '***' },
    ]);
    const whole = fieldChanges(object('Secret', {}), after, 'us', none);
    expect(whole).to.deep.equal([{ path: 'data', to: '***' }]);
  });

  it('show no value of a Secret that was put into a manifest, however short it is', () => {
    const secrets = new Set(['hunter22', '7']);
    const before = object('ConfigMap', { data: { url: 'x', pin: 1, list: 'y' } });
    const after = object('ConfigMap', {
      data: { url: 'https://me:hunter22@host', pin: 7, list: ['7', { deep: 'hunter22' }] },
    });
    expect(fieldChanges(before, after, 'us', secrets)).to.deep.equal([
      { path: 'data.url', from: 'x', to: 'https://me:***@host' },
      { path: 'data.pin', from: 1, to: '***' },
      { path: 'data.list', from: 'y', to: ['***', { deep: '***' }] },
    ]);
  });

  it('leave out what kubectl remembers, which is the whole object', () => {
    const key = 'kubectl.kubernetes.io/last-applied-configuration';
    const before = object('Secret', {}, { annotations: { [key]: '{"data":{"a":"b25l"}}' } });
    const after = object('Secret', {}, {});
    expect(fieldChanges(before, after, 'us', none)).to.deep.equal([
      { path: 'metadata.annotations', from: { [key]: '***' } },
    ]);
  });

  it('are cut where they are long', () => {
    const [change] = fieldChanges(
      object('ConfigMap', { data: { a: '' } }),
      object('ConfigMap', { data: { a: 'x'.repeat(5000) } }),
      'us',
      none,
    );
    expect(String(change?.to)).to.match(/^"x{1000,1030}\.\.\. \(cut\)$/);
  });

  it('may be none where only the owner of a field changes, which is a change all the same', () => {
    const fieldsV1 = { 'f:data': { 'f:a': {} } };
    const data = { data: { a: '1' } };
    const before = object('ConfigMap', data, { managedFields: [] });
    const managedFields = [{ manager: 'us', operation: 'Apply', fieldsV1 }];
    const after = object('ConfigMap', data, { managedFields });
    expect(fieldChanges(before, after, 'us', none)).to.deep.equal([]);
    expect(differsFrom(before, after, 'us')).to.equal(true);
    expect(differsFrom(after, { ...after, status: { ready: true } }, 'us')).to.equal(false);
  });
});
