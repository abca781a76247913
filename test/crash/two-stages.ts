import { expect } from 'chai';
import type { Playground } from '../../dev/playground.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { stagesApiVersion } from '../../src/types/stages.ts';
import type { SeenRequest } from '../faults/faults.ts';
import { configMap } from '../objects.ts';
import { TestNamespace } from '../test-namespace.ts';
import { type Counted, deletionsAmong } from './writes.ts';

/** A crash costs a restart, and an answer that never comes half a minute before the repeat. */
const patience = { within: 100_000 };

/**
 * The life of a StageSet with two stages of one source: it is created, gets a release that adds,
 * changes, drops and moves objects, and is deleted. After each part the cluster must look as if
 * nothing had ever gone wrong.
 */
export class TwoStages {
  readonly shop: TestNamespace;
  /** What came to the API server through the proxy, of all namespaces. */
  readonly #requests: readonly SeenRequest[];
  readonly #counted: Counted;

  private constructor(shop: TestNamespace, requests: readonly SeenRequest[], counted: Counted) {
    this.shop = shop;
    this.#requests = requests;
    this.#counted = counted;
  }

  static async create(
    playground: Playground,
    requests: readonly SeenRequest[],
    counted: Counted,
  ): Promise<TwoStages> {
    return new TwoStages(await TestNamespace.create(playground), requests, counted);
  }

  async live(): Promise<void> {
    const { shop } = this;
    await this.#publish('v1');
    const stages = ['one', 'two'].map((name) => ({
      name,
      path: `./${name}`,
      sourceRef: { name: 'shop' },
    }));
    await shop.createStageSet(stages);
    const { metadata } = await shop.untilReady('v1', patience);
    const first = await this.#expectRelease('v1');
    expect(this.#deletions(), 'deleted during the first release').to.deep.equal({});

    await this.#publish('v2');
    await shop.untilReady('v2', patience);
    const second = await this.#expectRelease('v2');
    const pruned = ['configmaps/dropped-one', 'configmaps/dropped-two'];
    expect(this.#deletions(), 'deleted during the second release').to.deep.equal(once(pruned));
    expectSurvivors(first, second);

    await shop.deleteStageSet();
    await shop.untilStageSetGone(patience);
    expect(namesOf(await this.#owned()), 'left behind').to.deep.equal([]);
    expect(this.#deletions(), 'deleted in all').to.deep.equal(
      once([...pruned, ...[...second.keys()].map(pathOf)]),
    );
    await this.#expectCollectable(metadata.uid ?? '');
  }

  async #publish(release: Release): Promise<void> {
    const files = Object.fromEntries(
      (['one', 'two'] as const).map((stage) => {
        const objects = objectsOf(stage, release, this.shop.name);
        return [`${stage}/objects.yaml`, objects.map((o) => JSON.stringify(o)).join('\n---\n')];
      }),
    );
    await this.shop.publishFiles('shop', release, files);
  }

  /** Objects, labels, contents and inventories are those of the release. Returns uids by id. */
  async #expectRelease(release: Release): Promise<Map<string, string>> {
    const owned = await this.#owned();
    const found = new Map(owned.map((object) => [idOf(object), object]));
    const wanted = { one: idsOf('one', release, this.shop), two: idsOf('two', release, this.shop) };
    for (const [stage, ids] of Object.entries(wanted)) {
      const ofStage = owned.filter((object) => stageOf(object) === stage).map(idOf);
      expect(ofStage.sort(), `objects of stage ${stage} at ${release}`).to.deep.equal(ids);
    }
    expect(owned.length).to.equal(wanted.one.length + wanted.two.length);
    for (const stage of ['one', 'two']) {
      const changed = found.get(`${this.shop.name}_changed-${stage}__ConfigMap`);
      expect(changed?.['data']).to.deep.equal({ release });
    }
    expect(await this.shop.inventories(), `inventories at ${release}`).to.deep.equal(wanted);
    return new Map(owned.map((object) => [idOf(object), object.metadata.uid ?? '']));
  }

  async #owned(): Promise<KubernetesObject[]> {
    const { client, call, name } = this.shop;
    const labelSelector = `stages.metio.wtf/name=shop,stages.metio.wtf/namespace=${name}`;
    const classes = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', labelSelector };
    const configMaps = { apiVersion: 'v1', kind: 'ConfigMap', labelSelector };
    const lists = [await client.list(configMaps, call), await client.list(classes, call)];
    return lists.flatMap(({ items }) => items);
  }

  /** Deletions of the tenant's objects so far. */
  #deletions(): Record<string, number> {
    const counts = deletionsAmong(this.#requests, this.shop.name, this.#counted);
    const ofTenant = [...counts].filter(([what]) => !what.startsWith('stageinventories/'));
    return Object.fromEntries(ofTenant.sort());
  }

  /** What is left of the inventories has the deleted StageSet as its owner, so it is collected. */
  async #expectCollectable(uid: string): Promise<void> {
    const query = {
      apiVersion: stagesApiVersion,
      kind: 'StageInventory',
      namespace: this.shop.name,
    };
    const { items } = await this.shop.client.list(query, this.shop.call);
    for (const { metadata } of items) {
      expect(metadata.ownerReferences?.map((owner) => owner.uid)).to.deep.equal([uid]);
    }
  }
}

type Release = 'v1' | 'v2';

/** The PriorityClass goes ahead of the rest, so that stage one has two groups. */
function objectsOf(stage: 'one' | 'two', release: Release, namespace: string): KubernetesObject[] {
  const both = [configMap(`same-${stage}`), configMap(`changed-${stage}`, { release })];
  const gone = release === 'v1' ? [configMap(`dropped-${stage}`)] : [configMap(`added-${stage}`)];
  const moved = (stage === 'one') === (release === 'v1') ? [configMap('moved')] : [];
  const classes: KubernetesObject[] = [
    {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: namespace },
      value: 1,
    },
  ];
  return [...(stage === 'one' ? classes : []), ...both, ...gone, ...moved];
}

/** Inventory ids of a stage's objects, sorted. */
function idsOf(stage: 'one' | 'two', release: Release, { name }: TestNamespace): string[] {
  const objects = objectsOf(stage, release, name);
  return objects
    .map((object) =>
      object.kind === 'PriorityClass'
        ? idOf(object)
        : idOf({ ...object, metadata: { ...object.metadata, namespace: name } }),
    )
    .sort();
}

function idOf({ apiVersion, kind, metadata }: KubernetesObject): string {
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
  return `${metadata.namespace ?? ''}_${metadata.name}_${group}_${kind}`;
}

function stageOf({ metadata }: KubernetesObject): string | undefined {
  return metadata.labels?.['stages.metio.wtf/stage'];
}

/** `configmaps/moved` for `shop-1_moved__ConfigMap`. */
function pathOf(id: string): string {
  const [, name = '', , kind = ''] = id.split('_');
  return kind === 'ConfigMap' ? `configmaps/${name}` : `priorityclasses/${name}`;
}

function namesOf(objects: readonly KubernetesObject[]): string[] {
  return objects.map(({ metadata }) => metadata.name);
}

function once(paths: readonly string[]): Record<string, number> {
  return Object.fromEntries([...paths].sort().map((path) => [path, 1]));
}

/** Whoever is in both releases is the same object: the one that moved, too. */
function expectSurvivors(
  first: ReadonlyMap<string, string>,
  second: ReadonlyMap<string, string>,
): void {
  const stayed = [...first.keys()].filter((id) => second.has(id));
  expect(stayed.length).to.equal(6);
  for (const id of stayed) expect(second.get(id), `uid of ${id}`).to.equal(first.get(id));
}
