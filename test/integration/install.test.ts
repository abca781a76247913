import { expect } from 'chai';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import type { Playground } from '../../dev/playground.ts';
import { install, kubectl, type Rendered, system } from '../installation.ts';
import { configMap } from '../objects.ts';
import { showLog } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';
import { untilObjects } from '../watching.ts';

const controller = `system:serviceaccount:${system}:stageset-controller`;
const records = 'subresources.stages.metio.wtf';
const apiServices = { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService' };

/** What the controller may do: as `kubectl auth can-i` is asked. */
const allowed = [
  'list stagesets.stages.metio.wtf -A',
  'patch stagesets.stages.metio.wtf -n shop',
  'patch stagesets.stages.metio.wtf --subresource=status -n shop',
  'update stagesets.stages.metio.wtf --subresource=finalizers -n shop',
  'get stageinventories -n shop',
  'create stageinventories -n shop',
  'create stageruns -n shop',
  'delete stageruns -n shop',
  'patch stageruns --subresource=status -n shop',
  'watch stageledgers -A',
  'create stageledgers -n shop',
  'patch stageledgers --subresource=status -n shop',
  'watch externalartifacts.source.toolkit.fluxcd.io -A',
  'list gitrepositories.source.toolkit.fluxcd.io -A',
  'watch customresourcedefinitions',
  'create serviceaccounts --subresource=token -n shop',
  'watch serviceaccounts -A',
  'get serviceaccounts -n shop',
  'watch namespaces',
  'create events.events.k8s.io -n shop',
  `create leases -n ${system}`,
  `update leases/stageset-controller.stages.metio.wtf -n ${system}`,
  'create tokenreviews',
  'create subjectaccessreviews',
  'watch configmaps/extension-apiserver-authentication -n kube-system',
  `create secrets -n ${system}`,
  `watch secrets/stageset-controller-serving-cert -n ${system}`,
  `update secrets/stageset-controller-serving-cert -n ${system}`,
  `get services/stageset-controller-api -n ${system}`,
  'watch validatingwebhookconfigurations/stageset-controller',
  'patch validatingwebhookconfigurations/stageset-controller',
  'patch mutatingwebhookconfigurations/stageset-controller',
  'get namespaces/shop',
  'create apiservices',
  `delete apiservices/v1.${records}`,
];

const denied = [
  'create stagesets.stages.metio.wtf -n shop',
  'delete stagesets.stages.metio.wtf -n shop',
  'patch stageruns -n shop',
  'update stageruns --subresource=status -n shop',
  'patch stageledgers -n shop',
  'update stageledgers -n shop',
  'delete stageledgers -n shop',
  'patch gitrepositories.source.toolkit.fluxcd.io -n shop',
  'create customresourcedefinitions',
  'get secrets -n shop',
  `list secrets -n ${system}`,
  `get secrets/other -n ${system}`,
  `delete secrets/stageset-controller-serving-cert -n ${system}`,
  'get configmaps -n shop',
  'get configmaps/other -n kube-system',
  `get leases/other -n ${system}`,
  'update leases/stageset-controller.stages.metio.wtf -n shop',
  'create pods -n shop',
  'patch deployments -n shop',
  'impersonate users',
  'impersonate groups',
  'impersonate serviceaccounts -n shop',
  'create clusterrolebindings',
  'bind clusterroles',
  'escalate clusterroles',
  'delete namespaces',
  'patch namespaces',
  'create serviceaccounts -n shop',
  'delete serviceaccounts -n shop',
  'list validatingwebhookconfigurations',
  'patch validatingwebhookconfigurations/other',
  'create mutatingwebhookconfigurations',
  'delete mutatingwebhookconfigurations/stageset-controller',
  'list apiservices',
  'patch apiservices/v1.apps',
  'delete apiservices/v1.apps',
];

const looking = [
  'get stagesets.stages.metio.wtf',
  'watch stageruns.stages.metio.wtf',
  'list stageinventories.stages.metio.wtf',
  'list stageledgers.stages.metio.wtf',
  `get stagesets.${records}`,
  `get stagesets.${records} --subresource=plan`,
  `get stagesets.${records} --subresource=history`,
  `get stagesets.${records} --subresource=advance`,
  `list stageplans.${records}`,
  `get stagehistories.${records}`,
];
const operating = [
  `create stagesets.${records} --subresource=plan`,
  `create stagesets.${records} --subresource=advance`,
  `update stagesets.${records} --subresource=advance`,
  `patch stagesets.${records} --subresource=advance`,
];
const overriding = [`override stagesets.${records} --subresource=advance`];

/** What no role for people grants: the controller's records, and to act as the controller. */
const nobodys = [
  'create stageruns.stages.metio.wtf',
  'patch stageruns.stages.metio.wtf --subresource=status',
  'delete stageruns.stages.metio.wtf',
  'create stageinventories.stages.metio.wtf',
  'patch stageinventories.stages.metio.wtf',
  'delete stageinventories.stages.metio.wtf',
  'patch stagesets.stages.metio.wtf --subresource=status',
  'create stagesets.stages.metio.wtf',
];

/** What each role grants in a namespace where it is bound. */
const roles = [
  { role: 'view', may: looking, mayNot: [...operating, ...overriding, ...nobodys] },
  { role: 'edit', may: [...looking, ...operating], mayNot: [...overriding, ...nobodys] },
  { role: 'admin', may: [...looking, ...operating], mayNot: [...overriding, ...nobodys] },
  { role: 'stageset-operator', may: [...looking, ...operating], mayNot: overriding },
  {
    role: 'stageset-break-glass',
    may: [...looking, ...operating, ...overriding],
    mayNot: nobodys,
  },
];

describe('the installation by kustomize', function () {
  this.timeout(180_000);
  let playground: Playground;
  let rendered: Rendered;
  let running: ControllerProcess;
  let shop: TestNamespace;
  let stop: (() => Promise<void>) | undefined;

  before('install', async () => {
    ({ playground, rendered, running } = await install('install'));
    stop = async () => await playground.stop();
    await untilObjects(playground.client, apiServices, (seen) => {
      const status = JSON.stringify(seen.get(`v1.${records}`)?.['status'] ?? {});
      return status.includes('"reason":"Passed"') ? true : undefined;
    });
    shop = await TestNamespace.create(playground);
    for (const { role } of roles) {
      const bound = [`--clusterrole=${role}`, `--user=${role}`, '-n', shop.name];
      await kubectl(playground, ['create', 'rolebinding', role, ...bound]);
    }
  });
  afterEach('show the log', function () {
    if (this.currentTest?.state === 'failed') showLog(running);
  });
  after('stop the cluster', async () => {
    await stop?.();
  });

  /** The questions to which the answer is yes. */
  async function permitted(user: string, questions: readonly string[]): Promise<string[]> {
    const yes: string[] = [];
    for (const question of questions) {
      const args = ['auth', 'can-i', ...question.split(' '), `--as=${user}`];
      const { stdout, stderr } = await playground.cluster.kubectl(args);
      expect(stdout.trim(), `${question}: ${stderr}`).to.match(/^(yes|no)$/);
      // For a resource that it does not know, kubectl asks something else.
      expect(stderr, question).not.to.include('have a resource type');
      if (stdout.trim() === 'yes') yes.push(question);
    }
    return yes;
  }

  it('has no APIService, which the controller keeps', () => {
    const kinds = new Set(rendered.objects.map(({ kind }) => kind));
    expect([...kinds].sort()).to.deep.equal([
      'ClusterRole',
      'ClusterRoleBinding',
      'CustomResourceDefinition',
      'Deployment',
      'MutatingWebhookConfiguration',
      'Namespace',
      'PodDisruptionBudget',
      'ResourceQuota',
      'Role',
      'RoleBinding',
      'Service',
      'ServiceAccount',
      'ValidatingWebhookConfiguration',
    ]);
  });

  it('makes two pods that a namespace with restricted pods admits', async () => {
    const pods = { apiVersion: 'v1', kind: 'Pod', namespace: system };
    await untilObjects(playground.client, pods, ({ size }) => (size === 2 ? true : undefined));
    const namespace = rendered.objects.find(({ kind }) => kind === 'Namespace');
    expect(namespace?.metadata.labels).to.include({
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
  });

  it('lets the controller do what it needs', async () => {
    expect(await permitted(controller, allowed)).to.deep.equal(allowed);
  });

  it('attack 88: the rights of the controller (edge case 28: no Secrets, no impersonation, part A 9.1)', async () => {
    expect(await permitted(controller, denied)).to.deep.equal([]);
  });

  for (const { role, may, mayNot } of roles) {
    it(`lets a user with the role ${role} do what it is for, and no more`, async () => {
      await untilAggregated(role);
      const inShop = (question: string): string => `${question} -n ${shop.name}`;
      const questions = [...may, ...mayNot].map(inShop);
      expect(await permitted(role, questions)).to.deep.equal(may.map(inShop));
    });
  }

  it('attack 23: a status edited to skip a gate (no role for users may write one, part A 9.1)', async () => {
    const kinds = ['stagesets', 'stageruns', 'stageledgers'];
    const questions = ['update', 'patch'].flatMap((verb) =>
      kinds.map((kind) => `${verb} ${kind}.stages.metio.wtf --subresource=status -n ${shop.name}`),
    );
    for (const { role } of roles) {
      await untilAggregated(role);
      expect(await permitted(role, questions), role).to.deep.equal([]);
    }
  });

  /** Rules reach `view`, `edit` and `admin` a moment after the roles are there. */
  async function untilAggregated(role: string): Promise<void> {
    const clusterRoles = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' };
    await untilObjects(playground.client, clusterRoles, (seen) =>
      JSON.stringify(seen.get(role)?.['rules'] ?? []).includes(records) ? true : undefined,
    );
  }

  it('rolls out as the ServiceAccount that the StageSet names, and serves those who may', async () => {
    await kubectl(playground, ['create', 'serviceaccount', 'deployer', '-n', shop.name]);
    const deployer = `--serviceaccount=${shop.name}:deployer`;
    const editor = ['--clusterrole=edit', deployer, '-n', shop.name];
    await kubectl(playground, ['create', 'rolebinding', 'deployer', ...editor]);
    await shop.publish('web', 'v1', [configMap('web')]);
    await shop.publish('api', 'v1', [configMap('api')]);
    const promotion = { requireManualPromotion: true };
    const web = { name: 'web', sourceRef: { name: 'web' }, promotion };
    await shop.createStageSet([web, 'api'], { serviceAccountName: 'deployer' });
    await shop.untilReason('AwaitingPromotion');

    const stageSet = ['stagesets.subresources.stages.metio.wtf', 'shop', '-n', shop.name];
    const plan = ['get', ...stageSet, '--subresource=plan', '-o', 'jsonpath={.status.verdict}'];
    expect(await kubectl(playground, [...plan, '--as=view'])).to.equal('Blocked');

    const where = ['get', ...stageSet, '--subresource=advance', '-o', 'jsonpath={.status.runId}'];
    const runId = await kubectl(playground, [...where, '--as=view']);
    const change = JSON.stringify({ spec: { stage: 'web', runId, reason: 'looks good' } });
    const advance = ['patch', ...stageSet, '--subresource=advance', '--type=merge', '-p', change];
    const refused = await playground.cluster.kubectl([...advance, '--as=view']);
    expect(refused.stderr).to.include('Forbidden');
    await kubectl(playground, [...advance, '--as=edit']);
    await shop.untilReady('v1');
    expect(await shop.configMapNames()).to.deep.equal(['api', 'web']);
    expect(await shop.eventReasons()).not.to.deep.equal([]);
  });

  it('takes the APIService away when it ends, and was refused nothing until then', async () => {
    await running.stop();
    const { items } = await playground.client.list(apiServices, shop.call);
    expect(items.map(({ metadata }) => metadata.name)).not.to.include(`v1.${records}`);
    expect(running.log.join('\n')).to.include('registered the APIService');
    expect(running.log.filter((line) => /forbidden/i.test(line))).to.deep.equal([]);
  });
});
