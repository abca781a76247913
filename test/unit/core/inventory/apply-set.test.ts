import { expect } from 'chai';
import fc from 'fast-check';
import {
  applySetAnnotationsOf,
  applySetId,
  readApplySet,
} from '../../../../src/core/inventory/apply-set.ts';
import { shardsFor } from '../../../../src/core/inventory/shards.ts';
import type { InventoryEntry } from '../../../../src/types/stages.ts';
import { entries } from './arbitrary.ts';

const tooling = 'applyset.kubernetes.io/tooling';
const kinds = 'applyset.kubernetes.io/contains-group-kinds';
const namespaces = 'applyset.kubernetes.io/additional-namespaces';

describe('the id of an ApplySet', () => {
  it('is the hash of name, namespace, kind and group of its parent, as KEP-3659 says', () => {
    // printf 'shop-dev-00-fd4248453b.team-a.StageInventory.stages.metio.wtf' | sha256sum
    expect(applySetId({ name: 'shop-dev-00-fd4248453b', namespace: 'team-a' })).to.equal(
      'applyset-G4JEfwvv_nFjoGgVlE668AuQ8rItBMnbtuchM49jaIc-v1',
    );
  });

  it('is a valid label value for every parent, and another one for each', () => {
    const name = fc.stringMatching(/^[a-z0-9]{1,20}$/);
    fc.assert(
      fc.property(name, name, name, (one, other, namespace) => {
        const id = applySetId({ name: one, namespace });
        expect(id).to.match(/^[A-Za-z0-9][-_.A-Za-z0-9]{0,61}[A-Za-z0-9]$/);
        expect(id === applySetId({ name: other, namespace })).to.equal(one === other);
      }),
    );
  });
});

describe('the annotations of an ApplySet parent', () => {
  it('name kinds and namespaces once, sorted, and not its own namespace', () => {
    const list = [
      { id: 'team_web_apps_Deployment', v: 'v1' },
      { id: 'b_web_apps_Deployment', v: 'v1' },
      { id: 'a_web__ConfigMap', v: 'v1' },
      { id: '_view_rbac.authorization.k8s.io_ClusterRole', v: 'v1' },
      { id: 'malformed', v: 'v1' },
    ];
    expect(applySetAnnotationsOf(list, 'team')).to.deep.equal({
      [tooling]: 'stageset-controller/v1',
      [kinds]: 'ClusterRole.rbac.authorization.k8s.io,ConfigMap,Deployment.apps',
      [namespaces]: 'a,b',
    });
  });

  it('say of an empty set that it is empty', () => {
    expect(applySetAnnotationsOf([], 'team')).to.deep.equal({
      [tooling]: 'stageset-controller/v1',
      [kinds]: '',
    });
  });

  it('leave out what no name can be, and a list that no annotation holds', () => {
    const odd = [{ id: 'a,b_web_x_Kind,Other', v: 'v1' }];
    expect(applySetAnnotationsOf(odd, 'team')).to.include({ [kinds]: '' });
    const many = Array.from({ length: 9000 }, (_, index) => ({
      id: `namespace-${index}_web__ConfigMap`,
      v: 'v1',
    }));
    const annotations = applySetAnnotationsOf(many, 'team');
    expect(annotations).to.have.property(kinds, 'ConfigMap');
    expect(annotations).not.to.have.property(namespaces);
  });

  it('are read back as they were written', () => {
    fc.assert(
      fc.property(entries, (list) => {
        const read = readApplySet(applySetAnnotationsOf(list, 'one'));
        const parts = list.map(({ id }) => id.split('_'));
        expect(new Set(read.kinds.map(({ group, kind }) => `${group}/${kind}`))).to.deep.equal(
          new Set(parts.map((part) => `${part.at(-2)}/${part.at(-1)}`)),
        );
        const elsewhere = parts.map(([namespace = '']) => namespace);
        expect(new Set(read.namespaces)).to.deep.equal(
          new Set(elsewhere.filter((namespace) => namespace !== '' && namespace !== 'one')),
        );
      }),
    );
  });

  it('are on the first shard only, and speak for all', () => {
    const stageSet = { metadata: { name: 'shop', namespace: 'team', uid: 'u' } };
    const list: InventoryEntry[] = [
      { id: 'a_web__ConfigMap', v: 'v1' },
      { id: 'b_web__Secret', v: 'v1' },
    ];
    const [first, second] = shardsFor({
      stageSet,
      stage: 'dev',
      position: 0,
      entries: list,
      cap: 1,
    });
    expect(first?.metadata.annotations).to.include({ [kinds]: 'ConfigMap,Secret' });
    expect(second?.metadata).not.to.have.property('annotations');
    expect(second?.metadata.labels).not.to.have.property('applyset.kubernetes.io/id');
  });
});
