import { expect } from 'chai';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { configMap, serviceAccount } from '../objects.ts';
import { TestPlanner } from '../planning.ts';
import { useController } from '../playground.ts';
import { fixtureKeys, sealedText } from '../sops/fixtures.ts';
import type { TestNamespace } from '../test-namespace.ts';

const password = 'correct horse battery staple';
const sealed = sealedText('yaml: encrypted regex');

const keySecret: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'sops-keys' },
  data: Object.fromEntries(
    [...fixtureKeys].map(
      ([name, content]) => [name, Buffer.from(content).toString('base64')] as const,
    ),
  ),
};

const decryption = { provider: 'sops', secretRef: { name: 'sops-keys' } };

function secret(name: string): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name } };
}

async function valueOf(shop: TestNamespace, name: string, entry: string): Promise<string> {
  const data: unknown = (await shop.find(secret(name)))?.['data'];
  const values = new Map(Object.entries(typeof data === 'object' ? (data ?? {}) : {}));
  return Buffer.from(String(values.get(entry)), 'base64').toString('utf8');
}

/** Lets a ServiceAccount of the namespace do this with Secrets, and with nothing else. */
async function grant(
  shop: TestNamespace,
  account: string,
  name: string,
  rule: Record<string, unknown>,
): Promise<void> {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const rules = [{ apiGroups: [''], resources: ['secrets'], ...rule }];
  await shop.create({ apiVersion, kind: 'Role', metadata: { name }, rules });
  await shop.create({
    apiVersion,
    kind: 'RoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: shop.name }],
  });
}

describe('a stage with encrypted files', () => {
  const lines: string[] = [];
  const stand = useController({
    flags: ['--log-level=debug'],
    onLog: (line) => lines.push(line),
  });

  /** Nothing that was decrypted, and no key, may be anywhere that people look. */
  async function expectSecrecy(shop: TestNamespace): Promise<void> {
    const stageSet = await shop.untilStageSet(() => true);
    const told = `${lines.join('\n')}${JSON.stringify(stageSet)}`;
    for (const value of [password, 'AGE-SECRET-KEY', 'PRIVATE KEY']) {
      expect(told).not.to.include(value);
    }
  }

  it('applies what was encrypted', async () => {
    const shop = await stand.namespace();
    await shop.create(keySecret);
    await shop.publishFiles('app', 'v1', { 'secret.yaml': sealed });
    await shop.createStageSet(['app'], { decryption });
    await shop.untilReady('v1');
    expect(await valueOf(shop, 'database', 'password')).to.equal(password);
    await expectSecrecy(shop);
  });

  it('decrypts the sources of a secretGenerator', async () => {
    const shop = await stand.namespace();
    await shop.create(keySecret);
    await shop.publishFiles('app', 'v1', {
      'kustomization.yaml':
        'secretGenerator: [{name: app, envs: [app.env], options: {disableNameSuffixHash: true}}]\n',
      'app.env': sealedText('dotenv: all'),
    });
    await shop.createStageSet(['app'], { decryption });
    await shop.untilReady('v1');
    expect(await valueOf(shop, 'app', 'NAME')).to.equal('value');
  });

  it('fails without the Secret, and goes on when it is there', async () => {
    const shop = await stand.namespace();
    await shop.publishFiles('app', 'v1', { 'secret.yaml': sealed });
    await shop.createStageSet(['app'], { decryption });
    expect(await shop.untilReason('StageFailed')).to.include(
      `Stage app: configure decryption: Secret/${shop.name}/sops-keys of decryption does not exist`,
    );
    await shop.create(keySecret);
    await shop.request('key');
    await shop.untilReady('v1');
  });

  it('attack 80: reading recipients off a failed decryption (edge case 29: they are in the log only, part A 10.1)', async () => {
    const shop = await stand.namespace();
    await shop.create({ ...keySecret, data: {} });
    await shop.publishFiles('app', 'v1', { 'secret.yaml': sealed });
    await shop.createStageSet(['app'], { decryption });
    const message = await shop.untilReason('StageFailed');
    expect(message).to.include('Stage app: decrypt: decryption failed: data key of secret.yaml');
    expect(message).not.to.include('recipients');
    expect(message).not.to.include('age1');
    const line = lines.find((each) => each.includes(shop.name) && each.includes('stage failed'));
    expect(line).to.match(/"detail":"no key of ours opens it; its recipients are age age1/);
    expect(await shop.find(secret('database'))).to.equal(undefined);
  });

  it('attack 78: a decryption key that the account may not read (it is read as the tenant, part A 9.1)', async () => {
    const shop = await stand.namespace();
    await shop.create(keySecret);
    await shop.create(serviceAccount('deployer'));
    const applied = ['database'];
    await grant(shop, 'deployer', 'apply', {
      resourceNames: applied,
      verbs: ['get', 'patch', 'delete'],
    });
    await grant(shop, 'deployer', 'make', { verbs: ['create'] });
    await shop.publishFiles('app', 'v1', { 'secret.yaml': sealed });
    await shop.createStageSet(['app'], { decryption, serviceAccountName: 'deployer' });
    const message = await shop.untilReason('RBACDenied');
    expect(message).to.include(`configure decryption: Secret/${shop.name}/sops-keys`);
    expect(message).to.include(`system:serviceaccount:${shop.name}:deployer`);
    expect(await shop.find(secret('database'))).to.equal(undefined);
    await grant(shop, 'deployer', 'key', { resourceNames: ['sops-keys'], verbs: ['get'] });
    await shop.request('granted');
    await shop.untilReady('v1');
    expect(await valueOf(shop, 'database', 'password')).to.equal(password);
  });

  it('attack 79: the artifact of another, built with its key (a build is kept for its key alone, part A 10.1)', async () => {
    const [rich, poor] = [await stand.namespace(), await stand.namespace()];
    for (const shop of [rich, poor]) {
      await shop.publishFiles('app', 'v1', { 'secret.yaml': sealed });
    }
    await rich.create(keySecret);
    await poor.create({ ...keySecret, data: {} });
    await rich.createStageSet(['app'], { decryption });
    await rich.untilReady('v1');
    await poor.createStageSet(['app'], { decryption });
    expect(await poor.untilReason('StageFailed')).to.include('decryption failed');
  });

  it('attack 81: a plan of decrypted objects (none of their values is shown, StagePlan)', async () => {
    const shop = await stand.namespace();
    await shop.create(keySecret);
    await shop.publishFiles('app', 'v1', {
      'kustomization.yaml':
        'configMapGenerator: [{name: app, envs: [app.env], options: {disableNameSuffixHash: true}}]\n',
      'app.env': sealedText('dotenv: all'),
    });
    await shop.createStageSet(['app'], { decryption });
    await shop.untilReady('v1');
    await shop.changeSpec({ suspend: true });
    await shop.untilReason('Suspended');
    await shop.patch(configMap('app'), { data: { NAME: 'hunter2hunter2' } });
    const planner = new TestPlanner(stand.playground);
    const plan = await planner.plan(shop);
    await planner.close();
    expect(plan.stages[0]?.changes?.[0]?.fields).to.deep.equal([
      { path: 'data.NAME', from: '***', to: '***' },
    ]);
    expect(JSON.stringify(plan)).not.to.match(/hunter2|first|žlu/);
  });

  it('leaves what is not encrypted as it is', async () => {
    const shop = await stand.namespace();
    await shop.create(keySecret);
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app'], { decryption });
    await shop.untilReady('v1');
    expect(await shop.find(configMap('web'))).not.to.equal(undefined);
  });
});
