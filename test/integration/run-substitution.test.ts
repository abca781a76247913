import { expect } from 'chai';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { canary } from '../canary.ts';
import { configMap, serviceAccount, withMetadata } from '../objects.ts';
import { useController } from '../playground.ts';
import type { TestNamespace } from '../test-namespace.ts';

const password = canary;

/** A source's manifest, as people write it. */
function web(data: Readonly<Record<string, string>>): Record<string, string> {
  const lines = Object.entries(data).map(([key, value]) => `  ${key}: ${value}`);
  return {
    'web.yaml': ['apiVersion: v1', 'kind: ConfigMap', 'metadata: { name: web }', 'data:', ...lines]
      .concat('')
      .join('\n'),
  };
}

function secret(name: string, stringData: Record<string, string>): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData };
}

async function dataOf(shop: TestNamespace, name = 'web'): Promise<unknown> {
  return (await shop.find(configMap(name)))?.['data'];
}

function stage(postBuild: object, rest: object = {}): Record<string, unknown> {
  return { name: 'app', postBuild, ...rest };
}

const fromMap = (name: string): object => ({ kind: 'ConfigMap', name });
const fromSecret = (name: string): object => ({ kind: 'Secret', name });

/** Lets a ServiceAccount of the namespace do this with these resources, and with nothing else. */
async function grant(
  shop: TestNamespace,
  account: string,
  resource: string,
  verbs: readonly string[],
): Promise<void> {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const name = `${account}-${resource}`;
  const rules = [{ apiGroups: [''], resources: [resource], verbs }];
  await shop.create({ apiVersion, kind: 'Role', metadata: { name }, rules });
  await shop.create({
    apiVersion,
    kind: 'RoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: shop.name }],
  });
}

const applying = ['get', 'list', 'create', 'patch', 'delete'];

async function asked(shop: TestNamespace, token: string): Promise<void> {
  await shop.request(token);
  await shop.untilStageSet(({ status }) => status?.lastHandledReconcileAt === token);
}

describe('substitution in a stage', () => {
  const lines: string[] = [];
  const stand = useController({
    flags: ['--log-level=debug'],
    onLog: (line) => lines.push(line),
  });

  it('puts inline values in, escapes and defaults included', async () => {
    const shop = await stand.namespace();
    await shop.publishFiles(
      'app',
      'v1',
      web({ region: '${region}', zone: '${zone:-a}', text: '$${region}', short: '"${region%-*}"' }),
    );
    await shop.createStageSet([stage({ substitute: { region: 'eu-1' } })]);
    await shop.untilReady('v1');
    expect(await dataOf(shop)).to.deep.equal({
      region: 'eu-1',
      zone: 'a',
      text: '${region}',
      short: 'eu',
    });
  });

  it('needs no access to ConfigMaps and Secrets for inline values', async () => {
    const shop = await stand.namespace();
    await shop.create(serviceAccount('nobody'));
    await shop.create(serviceAccount('deployer'));
    await grant(shop, 'deployer', 'configmaps', applying);
    await shop.publishFiles('app', 'v1', web({ region: '${region}' }));
    const app = stage({ substitute: { region: 'eu' } }, { serviceAccountName: 'deployer' });
    await shop.createStageSet([app], { serviceAccountName: 'nobody' });
    await shop.untilReady('v1');
    expect(await dataOf(shop)).to.deep.equal({ region: 'eu' });
  });

  it('leaves expressions as they are without any variable', async () => {
    const shop = await stand.namespace();
    await shop.publishFiles('app', 'v1', web({ region: '${region}', price: '$${x}' }));
    const missing = { kind: 'ConfigMap', name: 'missing', optional: true };
    await shop.createStageSet([stage({ substituteFrom: [missing] })]);
    await shop.untilReady('v1');
    expect(await dataOf(shop)).to.deep.equal({ region: '${region}', price: '$${x}' });
  });

  it('lets later references win over earlier ones, and inline values over all', async () => {
    const shop = await stand.namespace();
    await shop.create(configMap('first', { a: 'first', b: 'first', c: 'first', 'not-a-name': '' }));
    await shop.create(secret('second', { b: 'second', c: 'second' }));
    await shop.publishFiles('app', 'v1', web({ a: '${a}', b: '${b}', c: '${c}' }));
    await shop.createStageSet([
      stage({
        substitute: { c: 'inline' },
        substituteFrom: [fromMap('first'), fromSecret('second')],
      }),
    ]);
    await shop.untilReady('v1');
    expect(await dataOf(shop)).to.deep.equal({ a: 'first', b: 'second', c: 'inline' });
  });

  it('leaves out binaryData and values that are no text', async () => {
    const shop = await stand.namespace();
    const bytes = Buffer.from([0xff, 0xfe]).toString('base64');
    await shop.create({ ...configMap('map', { a: 'one' }), binaryData: { b: 'dHdv' } });
    await shop.create({ ...secret('keys', {}), data: { a: bytes } });
    await shop.publishFiles('app', 'v1', web({ b: '${b:-unset}', a: '${a:-unset}' }));
    await shop.createStageSet([stage({ substituteFrom: [fromMap('map'), fromSecret('keys')] })]);
    await shop.untilReady('v1');
    expect(await dataOf(shop)).to.deep.equal({ a: 'unset', b: 'unset' });
  });

  it('applies nothing when a variable is not set', async () => {
    const shop = await stand.namespace();
    const [map, other] = [web({ region: '${region}' }), JSON.stringify(configMap('other'))];
    await shop.publishFiles('app', 'v1', { ...map, 'other.json': other });
    await shop.createStageSet([stage({ substitute: { zone: 'a' } })]);
    expect(await shop.untilReason('StageFailed')).to.match(
      /^Stage app: build: ConfigMap\/web: line \d+ of the built manifests: \$\{region\} names a variable that is not set: /,
    );
    expect(await shop.configMapNames()).to.deep.equal([]);
  });

  it('applies nothing when a ConfigMap is missing, and goes on when it is there', async () => {
    const shop = await stand.namespace();
    await shop.publishFiles('app', 'v1', web({ region: '${region}' }));
    await shop.createStageSet([stage({ substituteFrom: [fromMap('vars')] })]);
    expect(await shop.untilReason('StageFailed')).to.include(
      `Stage app: resolve postBuild variables: ConfigMap/${shop.name}/vars of substituteFrom does ` +
        'not exist; create it, or set optional: true',
    );
    expect(await shop.configMapNames()).to.deep.equal([]);
    await shop.create(configMap('vars', { region: 'eu' }));
    await shop.request('created');
    await shop.untilReady('v1');
    expect(await dataOf(shop)).to.deep.equal({ region: 'eu' });
  });

  it('refuses an inline variable that no expression can name', async () => {
    const shop = await stand.namespace();
    await shop.publishFiles('app', 'v1', web({ region: 'eu' }));
    await shop.createStageSet([stage({ substitute: { 'app.name': 'web' } })]);
    expect(await shop.untilReason('InvalidSpec')).to.include(
      'spec.stages[0].postBuild.substitute[app.name]: the name is a string of 8 characters',
    );
  });

  it('makes a number of a quoted expression, which a ConfigMap does not take', async () => {
    const shop = await stand.namespace();
    await shop.publishFiles('app', 'v1', web({ count: '"${count}"' }));
    await shop.createStageSet([stage({ substitute: { count: '3' } })]);
    const message = await shop.untilReason('StageFailed');
    expect(message).to.include(`apply: ConfigMap/${shop.name}/web: `);
    expect(message).to.include('.data.count: expected string');
    await shop.changeStages([stage({ substitute: { count: '"3"' } })]);
    await shop.untilReady('v1');
    expect(await dataOf(shop)).to.deep.equal({ count: '3' });
  });

  describe('with a ServiceAccount', () => {
    it('reads as the account of the StageSet, also for a stage with its own', async () => {
      const shop = await stand.namespace();
      await shop.create(secret('db', { password }));
      for (const account of ['reader', 'writer']) await shop.create(serviceAccount(account));
      await grant(shop, 'reader', 'secrets', ['get']);
      await grant(shop, 'writer', 'configmaps', applying);
      await shop.publishFiles('app', 'v1', web({ password: '${password}' }));
      const postBuild = { substituteFrom: [fromSecret('db')] };
      await shop.createStageSet([stage(postBuild, { serviceAccountName: 'writer' })], {
        serviceAccountName: 'reader',
      });
      await shop.untilReady('v1');
      expect(await dataOf(shop)).to.deep.equal({ password });
    });

    it('attack 77: a Secret in substituteFrom that the account may not read (it is read as the tenant, part A 9.1)', async () => {
      const shop = await stand.namespace();
      await shop.create(secret('db', { password }));
      await shop.create(serviceAccount('deployer'));
      await grant(shop, 'deployer', 'configmaps', applying);
      await shop.publishFiles('app', 'v1', web({ password: '${password}' }));
      // Not even optional: only what is missing is passed over.
      const reference = { ...fromSecret('db'), optional: true };
      await shop.createStageSet([stage({ substituteFrom: [reference] })], {
        serviceAccountName: 'deployer',
      });
      expect(await shop.untilReason('RBACDenied')).to.include(
        `Stage app: resolve postBuild variables: Secret/${shop.name}/db: secrets "db" is ` +
          `forbidden: User "system:serviceaccount:${shop.name}:deployer" cannot get resource ` +
          `"secrets" in API group "" in the namespace "${shop.name}"`,
      );
      expect(await shop.configMapNames()).to.deep.equal([]);
      await grant(shop, 'deployer', 'secrets', ['get']);
      await shop.request('granted');
      await shop.untilReady('v1');
      expect(await dataOf(shop)).to.deep.equal({ password });
    });
  });

  describe('whose variables change', () => {
    async function rolledOut(): Promise<TestNamespace> {
      const shop = await stand.namespace();
      await shop.create(configMap('vars', { region: 'north' }));
      await shop.publishFiles('app', 'v1', web({ region: '${region}' }));
      await shop.createStageSet([stage({ substituteFrom: [fromMap('vars')] })]);
      await shop.untilReady('v1');
      return shop;
    }

    it('rolls on a forced reconcile, which is no drift', async () => {
      const shop = await rolledOut();
      await shop.patch(configMap('vars'), { data: { region: 'south' } });
      await asked(shop, 'changed');
      await shop.untilObject(configMap('web'), ({ data }) =>
        JSON.stringify(data).includes('south'),
      );
      await shop.untilReady('v1');
      // What somebody changes afterwards is drift again, and the first that is told of.
      await shop.patch(configMap('web'), { data: { region: 'by hand' } });
      await shop.request('drifted');
      const event = await shop.untilEvent('DriftCorrected');
      expect(event['note']).to.include('Corrected drift of 1 object(s) in stage app');
      expect(await dataOf(shop)).to.deep.equal({ region: 'south' });
      const told = (await shop.eventReasons()).filter((reason) => reason === 'DriftCorrected');
      expect(told).to.have.lengthOf(1);
      expect(event['series']).to.equal(undefined);
    });

    it('rolls at the next interval by itself', async () => {
      const shop = await rolledOut();
      await shop.changeSpec({ interval: '1s' });
      await shop.untilReady('v1');
      await shop.patch(configMap('vars'), { data: { region: 'south' } });
      await shop.untilObject(configMap('web'), ({ data }) =>
        JSON.stringify(data).includes('south'),
      );
      expect(await shop.eventReasons()).not.to.include('DriftCorrected');
    });

    it('writes nothing while they stay the same', async () => {
      const shop = await rolledOut();
      const before = await shop.configMapVersions();
      await asked(shop, 'again');
      await shop.untilReady('v1');
      expect(await shop.configMapVersions()).to.deep.equal(before);
    });
  });

  it('never tells a value of a Secret', async () => {
    const shop = await stand.namespace();
    await shop.create(secret('db', { password, pin: '90125678', broken: `{a: ${password}` }));
    const postBuild = { substituteFrom: [fromSecret('db')] };
    const files: Record<string, string>[] = [
      web({ pin: '"${pin}"' }),
      web({ password: '${password:-${unset}}' }),
      web({ password: '${password:0:-99}' }),
      web({ broken: '${broken}' }),
      web({ password: '"${password}\\q"' }),
      web({ password: '*${password}' }),
    ];
    await shop.publishFiles('app', 'v0', web({ fine: 'yes' }));
    await shop.createStageSet([stage(postBuild)]);
    await shop.untilReady('v0');
    for (const [index, content] of files.entries()) {
      await shop.publishFiles('app', `v${index + 1}`, content);
      await shop.untilStageSet(({ status }) => {
        const [message = ''] = (status?.conditions ?? []).map((condition) => condition.message);
        const attempted = status?.lastAttemptedRevisions?.[`${shop.name}/app`];
        return attempted === `v${index + 1}` && message.startsWith('Stage app: ');
      });
    }
    await shop.publishFiles('app', 'v9', web({ password: '${password}' }));
    const stageSet = await shop.untilReady('v9');
    expect(await dataOf(shop)).to.deep.include({ password });
    const { items } = await shop.client.list(
      { apiVersion: 'events.k8s.io/v1', kind: 'Event', namespace: shop.name },
      shop.call,
    );
    expect(items).not.to.deep.equal([]);
    const inventories = await shop.inventories();
    const told = JSON.stringify([stageSet, items, lines, inventories]);
    expect(lines.filter((line) => line.includes(shop.name))).not.to.deep.equal([]);
    for (const part of [canary, '90125678']) expect(told).not.to.include(part);
  });
});

describe('Helm hooks in a stage', () => {
  const stand = useController();
  const hook = withMetadata(configMap('hook'), { annotations: { 'helm.sh/hook': 'pre-install' } });

  it('are applied, with one event for each revision', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('web'), hook]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    expect(await shop.configMapNames()).to.deep.equal(['hook', 'web']);
    const event = await shop.untilEvent('HelmHooksApplied');
    expect(event['type']).to.equal('Warning');
    expect(event['note']).to.equal(
      'Stage app applies 1 Helm hook(s) of v1 like other objects, not at the times that Helm would; ' +
        `applyHelmHookResources: false leaves them out: ConfigMap/${shop.name}/hook`,
    );
    for (const token of ['again', 'and again']) await asked(shop, token);
    await shop.publish('app', 'v2', [configMap('web'), hook]);
    await shop.untilReady('v2');
    const kind = { apiVersion: 'events.k8s.io/v1', kind: 'Event' };
    const told = await shop.untilCollection(
      kind,
      (events) => notesOf(events).filter((note) => note.includes(' of v2 ')).length > 0,
    );
    expect(notesOf(told).map((note) => note.slice(0, 41))).to.have.members([
      'Stage app applies 1 Helm hook(s) of v1 li',
      'Stage app applies 1 Helm hook(s) of v2 li',
    ]);
    expect([...told.values()].filter(({ series }) => series !== undefined)).to.deep.equal([]);
  });

  it('are left out without an event when the stage says so', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('web'), hook]);
    await shop.createStageSet([{ name: 'app', applyHelmHookResources: false }]);
    await shop.untilReady('v1');
    await shop.untilEvent('Succeeded');
    expect(await shop.configMapNames()).to.deep.equal(['web']);
    expect(await shop.eventReasons()).not.to.include('HelmHooksApplied');
  });

  function notesOf(events: ReadonlyMap<string, KubernetesObject>): string[] {
    return [...events.values()]
      .filter(({ reason }) => reason === 'HelmHooksApplied')
      .map(({ note }) => String(note));
  }
});
