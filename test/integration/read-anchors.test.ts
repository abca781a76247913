import { expect } from 'chai';
import { readAnchors, readWitness } from '../../src/controller/read-anchors.ts';
import { DeniedError, RetryableError } from '../../src/core/errors.ts';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import { tenantWith } from '../actors.ts';
import { configMap } from '../objects.ts';
import { sharedPlayground } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';
import { caught } from './objects.ts';

const rights = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }];
const seeded = { apiVersion: 'v1', kind: 'ConfigMap', name: 'seeded' };
const secret = { apiVersion: 'v1', kind: 'Secret', name: 'password' };

describe('a witness of what is done once', () => {
  let shop: TestNamespace;
  let client: KubernetesClient;

  beforeEach(async () => {
    shop = await TestNamespace.create(await sharedPlayground());
    client = await tenantWith(shop, rights);
  });

  it('is read in the namespace of the StageSet with the rights of its tenant', async () => {
    const other = await TestNamespace.create(await sharedPlayground());
    await other.create(configMap('missing'));
    const { metadata } = await shop.create(configMap('seeded'));
    const asked = [
      { key: 'a/seed', stage: 'a', anchor: seeded },
      { key: 'a/none', stage: 'a', anchor: { ...seeded, name: 'missing' } },
      { key: 'a/secret', stage: 'a', anchor: secret },
      { key: 'a/ghost', stage: 'a', anchor: { ...seeded, kind: 'Ghost' } },
    ];
    const looks = await readAnchors(asked, { client, namespace: shop.name }, shop.call);
    expect(looks.get('a/seed')).to.deep.equal({ kind: 'Found', uid: metadata.uid });
    expect(looks.get('a/none')).to.deep.equal({ kind: 'NotFound' });
    expect(looks.get('a/secret')).to.have.property('kind', 'Unreadable');
    expect(looks.get('a/secret')).to.have.property('message').that.contains('cannot get resource');
    // A kind that is not served may be back in a moment, with all its objects.
    expect(looks.get('a/ghost')).to.have.property('kind', 'Unreadable');
  });

  it('is not taken for gone when the work is called off', async () => {
    const asked = [{ key: 'a/seed', stage: 'a', anchor: seeded }];
    const call = { signal: AbortSignal.abort(new Error('over')) };
    const error = await caught(readAnchors(asked, { client, namespace: shop.name }, call));
    expect(String(error)).to.equal('Error: over');
  });

  it('is recorded with its UID when the action is done', async () => {
    const { metadata } = await shop.create(configMap('seeded'));
    const witness = await readWitness(seeded, { client, namespace: shop.name }, shop.call);
    expect(witness).to.deep.equal({ ...seeded, uid: metadata.uid });
  });

  it('lets the action fail when it is not there, and says what to do', async () => {
    const error = await caught(readWitness(seeded, { client, namespace: shop.name }, shop.call));
    expect(error).to.be.instanceOf(RetryableError);
    expect(String(error)).to.contain(`completionAnchor ConfigMap/${shop.name}/seeded is not there`);
  });

  it('lets the action fail when it cannot be read', async () => {
    const error = await caught(readWitness(secret, { client, namespace: shop.name }, shop.call));
    expect(error).to.be.instanceOf(DeniedError);
  });
});
