import { expect } from 'chai';
import fc from 'fast-check';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { configMap } from '../objects.ts';
import { changesOf, TestPlanner } from '../planning.ts';
import { useController } from '../playground.ts';
import type { TestNamespace } from '../test-namespace.ts';

const names = ['a', 'b', 'c', 'd', 'e'];
const stages = ['first', 'second'] as const;

/** Of each object: which stage has it, if any, and its content. */
const release = fc.tuple(
  ...names.map(() =>
    fc.record({
      stage: fc.constantFrom('first', 'second', undefined),
      color: fc.constantFrom('red', 'green'),
    }),
  ),
);
/** What somebody does to each object by hand. */
const drift = fc.tuple(...names.map(() => fc.constantFrom('nothing', 'edit', 'delete', 'create')));

type Release = readonly { readonly stage: string | undefined; readonly color: string }[];

describe('a plan and the run after it', () => {
  const stand = useController();
  let planner: TestPlanner;

  before('start a planner', () => {
    planner = new TestPlanner(stand.playground);
  });
  after('stop the planner', async () => {
    await planner.close();
  });

  async function publish(shop: TestNamespace, revision: string, wanted: Release): Promise<void> {
    for (const stage of stages) {
      const objects = wanted.flatMap(({ stage: home, color }, index) =>
        home === stage ? [configMap(names[index] ?? '', { color })] : [],
      );
      await shop.publish(stage, revision, [...objects, configMap(`${stage}-always`)]);
    }
  }

  it('agree on what happens to every object', async () => {
    await fc.assert(
      fc.asyncProperty(release, release, drift, async (before, after, edits) => {
        const shop = await stand.namespace();
        await publish(shop, 'v1', before);
        await shop.createStageSet([...stages]);
        await shop.untilReady('v1');
        await shop.changeSpec({ suspend: true });
        await shop.untilReason('Suspended');
        await publish(shop, 'v2', after);
        await edit(shop, edits);

        const was = await contents(shop);
        const plan = await planner.plan(shop);
        await shop.changeSpec({ suspend: false });
        await shop.untilReady('v2');
        const is = await contents(shop);

        const said = Object.values(changesOf(plan)).flat().sort();
        expect(said).to.deep.equal(happened(was, is));
        expect((await planner.plan(shop)).verdict).to.equal('UpToDate');
        await shop.deleteStageSet();
        await shop.untilStageSetGone();
      }),
      { numRuns: 12, endOnFailure: true },
    );
  });
});

async function edit(shop: TestNamespace, edits: readonly string[]): Promise<void> {
  const { client, call, name: namespace } = shop;
  const there = await contents(shop);
  for (const [index, what] of edits.entries()) {
    const name = names[index] ?? '';
    const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name };
    const exists = there.has(name);
    if (what === 'delete' && exists) await client.delete(reference, {}, call);
    if (what === 'edit' && exists) {
      const body = { data: { color: 'by hand' } };
      await client.patch(reference, { type: 'Merge', body, fieldManager: 'hand' }, call);
    }
    if (what === 'create' && !exists) {
      const object = configMap(name, { color: 'red' });
      await client.create({ ...object, metadata: { name, namespace } }, {}, call);
    }
  }
}

/** What tells one state of an object from another, by its name. */
async function contents({
  client,
  call,
  name: namespace,
}: TestNamespace): Promise<Map<string, string>> {
  const { items } = await client.list({ apiVersion: 'v1', kind: 'ConfigMap', namespace }, call);
  return new Map(items.map((item) => [item.metadata.name, stateOf(item)]));
}

function stateOf({ metadata, data }: KubernetesObject): string {
  const stage = metadata.labels?.['stages.metio.wtf/stage'] ?? '';
  return JSON.stringify({ stage, data, uid: metadata.uid });
}

/** Changes as a plan writes them, from the states before and after. */
function happened(was: ReadonlyMap<string, string>, is: ReadonlyMap<string, string>): string[] {
  const changes: string[] = [];
  for (const name of new Set([...was.keys(), ...is.keys()])) {
    const [before, after] = [was.get(name), is.get(name)];
    if (before === after) continue;
    if (before === undefined) changes.push(`Create ConfigMap/${name}`);
    else if (after === undefined) changes.push(`Prune ConfigMap/${name}`);
    else changes.push(`${moved(before, after) ? 'Move' : 'Update'} ConfigMap/${name}`);
  }
  return changes.sort();
}

function moved(before: string, after: string): boolean {
  const [one, other] = [before, after].map(
    (state) => (JSON.parse(state) as { stage: string }).stage,
  );
  return one !== '' && one !== other;
}
