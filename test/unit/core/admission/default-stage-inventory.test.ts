import { expect } from 'chai';
import { defaultStageInventory } from '../../../../src/core/admission/default-stage-inventory.ts';
import { shardsFor } from '../../../../src/core/inventory/shards.ts';
import type { JsonObject } from '../../../../src/types/kubernetes.ts';
import { patched, requestFor } from '../../../admission/reviews.ts';

const name = 'shop-dev-00-0123456789';
// base64url(sha256("shop-dev-00-0123456789.team.StageInventory.stages.metio.wtf"))
const id = 'applyset-CWemQkLwV0HkkQ_V8dKitBZo8K8U5_ME9V2W6SpGBUw-v1';

function inventory(labels: JsonObject | undefined, annotations?: JsonObject): JsonObject {
  return {
    apiVersion: 'stages.metio.wtf/v1',
    kind: 'StageInventory',
    metadata: {
      name,
      namespace: 'team',
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: {
      entries: [
        { id: 'team_web_apps_Deployment', v: 'v1' },
        { id: 'other_web__ConfigMap', v: 'v1' },
        { id: 'malformed', v: 'v1' },
        { id: 3 },
      ],
    },
  };
}

const first = { 'stages.metio.wtf/shard': '0' };
const patchOf = (object: JsonObject, fields: object = {}): unknown =>
  defaultStageInventory(requestFor('StageInventory', { object, name, ...fields })).patch;

describe('a StageInventory that lacks what makes it the parent of an ApplySet', () => {
  it('gets the label and the annotations', () => {
    expect(patchOf(inventory(first))).to.deep.equal([
      {
        op: 'add',
        path: '/metadata/annotations',
        value: {
          'applyset.kubernetes.io/additional-namespaces': 'other',
          'applyset.kubernetes.io/contains-group-kinds': 'ConfigMap,Deployment.apps',
          'applyset.kubernetes.io/tooling': 'stageset-controller/v1',
        },
      },
      { op: 'add', path: '/metadata/labels/applyset.kubernetes.io~1id', value: id },
    ]);
  });

  it('gets nothing the second time', () => {
    for (const annotations of [undefined, { 'example.com/a': 'b' }]) {
      const object = inventory(first, annotations);
      const { patch } = defaultStageInventory(requestFor('StageInventory', { object, name }));
      expect(patchOf(patched(object, patch))).to.deep.equal([]);
    }
  });

  it('gets no annotation that the controller left out', () => {
    const annotations = { 'applyset.kubernetes.io/tooling': 'stageset-controller/v1' };
    const labels = { ...first, 'applyset.kubernetes.io/id': 'x' };
    expect(patchOf(inventory(labels, annotations))).to.deep.equal([]);
  });

  it('gets nothing where it is not the first one of its stage, or being deleted', () => {
    expect(patchOf(inventory({ 'stages.metio.wtf/shard': '1' }))).to.deep.equal([]);
    expect(patchOf(inventory(undefined))).to.deep.equal([]);
    const oldObject = inventory(first);
    const deleted = { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } };
    expect(patchOf(inventory(first), { oldObject: deleted })).to.deep.equal([]);
    expect(patchOf(inventory(first), { oldObject, operation: 'DELETE' })).to.deep.equal([]);
    expect(patchOf({})).to.deep.equal([]);
  });

  it('is not what the controller writes', () => {
    const [shard] = shardsFor({
      stageSet: { metadata: { name: 'shop', namespace: 'team', uid: 'u' } },
      stage: 'dev',
      position: 0,
      entries: [{ id: 'team_web_apps_Deployment', v: 'v1' }],
      cap: 10,
    });
    if (shard === undefined) throw new Error('there must be one');
    const { metadata } = shard;
    expect(patchOf({ ...shard }, { name: metadata.name })).to.deep.equal([]);
  });
});
