import { expect } from 'chai';
import { type Follower, type OwnedKind, OwnedWatches } from '../../src/apply/owned-watches.ts';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import { sharedPlayground } from '../playground.ts';
import { eventually } from './objects.ts';

describe('the watches on applied objects', () => {
  let client: KubernetesClient;
  let unwatched: string[];
  let counts: number[];
  let running: OwnedWatches | undefined;

  before(async () => {
    client = (await sharedPlayground()).client;
  });

  beforeEach(() => {
    unwatched = [];
    counts = [];
  });

  afterEach(async () => {
    await running?.stop();
  });

  function watches(mostWatches = 100): OwnedWatches {
    running = new OwnedWatches({
      spansNamespaces: (identity) => identity === 'controller',
      onEvent: () => undefined,
      onUnwatched: ({ kind, namespace = '*' }, identity, why) =>
        unwatched.push(`${identity}: ${kind} in ${namespace}: ${why}`),
      onCount: (count) => counts.push(count),
      mostWatches,
    });
    return running;
  }

  function follower(stageSet: string, stage = 'app', identity = 'controller'): Follower {
    return { stageSet, stage, identity, client };
  }

  function configMapsOf(...namespaces: string[]): OwnedKind[] {
    return namespaces.map((namespace) => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace }));
  }

  it('are one for each kind, for 2,000 StageSets in 2,000 namespaces of the controller itself', () => {
    const all = watches();
    for (let index = 0; index < 2000; index += 1) {
      all.followOnly(follower(`team-${index}/shop`), configMapsOf(`team-${index}`));
    }
    expect(all.size).to.equal(1);
    expect(counts).to.deep.equal([1]);
  });

  it('are shared by the StageSets of one tenant, and by nobody else', () => {
    const all = watches();
    all.followOnly(follower('team/shop', 'app', 'alice'), configMapsOf('team'));
    all.followOnly(follower('team/site', 'app', 'alice'), configMapsOf('team'));
    expect(all.size).to.equal(1);
    all.followOnly(follower('team/blog', 'app', 'bob'), configMapsOf('team'));
    expect(all.size).to.equal(2);
    all.followOnly(follower('team/blog', 'app', 'bob'), configMapsOf('team', 'other'));
    expect(all.size).to.equal(3);
  });

  it('last until the last StageSet that needs them has gone', () => {
    const all = watches();
    all.followOnly(follower('team/shop'), configMapsOf('team'));
    all.followOnly(follower('team/site'), configMapsOf('team'));
    all.release('team/shop');
    expect(all.size).to.equal(1);
    all.release('team/site');
    expect(all.size).to.equal(0);
    expect(counts).to.deep.equal([1, 0]);
  });

  it('last until the last stage that needs them has dropped the kind', () => {
    const all = watches();
    const secrets = { apiVersion: 'v1', kind: 'Secret', namespace: 'team' };
    all.followOnly(follower('team/shop', 'one'), [secrets]);
    all.alsoFollow(follower('team/shop', 'two'), [secrets]);
    all.alsoFollow(follower('team/shop', 'two'), configMapsOf('team'));
    expect(all.size).to.equal(2);
    all.keepStages('team/shop', new Set(['two']));
    expect(all.size).to.equal(2);
    all.followOnly(follower('team/shop', 'two'), configMapsOf('team'));
    expect(all.size).to.equal(1);
  });

  it('are no more than there is room for, which is told once', () => {
    const all = watches(2);
    for (const team of ['one', 'two', 'three', 'four']) {
      all.followOnly(follower(`${team}/shop`, 'app', team), configMapsOf(team));
      all.followOnly(follower(`${team}/shop`, 'app', team), configMapsOf(team));
    }
    expect(all.size).to.equal(2);
    expect(unwatched).to.deep.equal([
      'three: ConfigMap in three: there are 2 watches already',
      'four: ConfigMap in four: there are 2 watches already',
    ]);
  });

  it('cover a kind once it is listed, and none that is not followed', async () => {
    const all = watches();
    const [configMaps] = configMapsOf('default');
    if (configMaps === undefined) throw new Error('there is one');
    expect(all.covers('controller', configMaps)).to.equal(false);
    all.followOnly(follower('default/shop'), [configMaps]);
    expect(all.covers('controller', configMaps)).to.equal(false);
    await eventually(() => all.covers('controller', configMaps));
    expect(all.covers('somebody', configMaps)).to.equal(false);
  });

  it('do not cover a kind that is not served', async () => {
    const all = watches();
    const unserved = { apiVersion: 'nowhere.example.com/v1', kind: 'Ghost', namespace: 'default' };
    all.followOnly(follower('default/shop'), [unserved, ...configMapsOf('default')]);
    await eventually(() =>
      all.covers('controller', { ...unserved, ...configMapsOf('default')[0] }),
    );
    expect(all.covers('controller', unserved)).to.equal(false);
    expect(unwatched).to.deep.equal([]);
  });
});
