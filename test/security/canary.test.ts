import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type RunningApi, startApi } from '../../dev/aggregated-api.ts';
import type { Playground } from '../../dev/playground.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { CanaryCage, canary, canaryIn } from '../canary.ts';
import { configMap, serviceAccount } from '../objects.ts';
import { removeStageSets, sharedPlayground, showLog, useController } from '../playground.ts';
import { everyVerb, grant } from '../rbac.ts';
import {
  allowLocalClusters,
  kubeconfigSecret,
  toParis,
  useRemoteCluster,
} from '../remote-cluster.ts';
import { readyOf, TestNamespace } from '../test-namespace.ts';

const secret = (name: string, more: object = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  stringData: { password: canary },
  ...more,
});

const kustomization = (text: string): Record<string, string> => ({
  'kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n${text}`,
});

const manifest = (text: string): Record<string, string> => ({
  'a.yaml': `apiVersion: v1\nkind: Secret\nmetadata: { name: a }\n${text}`,
});

const substituting = { substituteFrom: [{ kind: 'Secret', name: 'settings' }] };

/** Artifacts that bring the value of a Secret close to a message, and what their stage has besides. */
const artifacts: Readonly<
  Record<string, { files: Record<string, string>; stage?: Record<string, unknown> }>
> = {
  'a Secret with broken base64': { files: manifest(`data: { password: "${canary}" }\n`) },
  'a Secret with a value that is no text': { files: manifest(`stringData: { a: [${canary}] }\n`) },
  'a Secret with an unknown field': { files: manifest(`${canary}: { a: b }\n`) },
  'a Secret with broken YAML': { files: manifest(`stringData: { a: "${canary}\n`) },
  'a Secret with an impossible type': {
    files: manifest(`type: kubernetes.io/tls\nstringData: { a: ${canary} }\n`),
  },
  'a generator that is wrong': {
    files: kustomization(`secretGenerator: [{ name: a, literals: [${canary}] }]\n`),
  },
  'a patch that does not fit': {
    files: manifest(`stringData: { a: b }\n`),
    stage: {
      patches: [
        {
          target: { kind: 'Secret' },
          patch: `[{ "op": "test", "path": "/stringData/a", "value": "c" }]`,
        },
      ],
    },
  },
  'a substituted number': {
    files: {
      'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata: { a: ${pin} }\n',
    },
    stage: { postBuild: substituting },
  },
  'a substituted field that the server refuses': {
    files: {
      'a.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: a }\nspec: { replicas: "${password}" }\n',
    },
    stage: { postBuild: substituting },
  },
  'an expression about a Secret': {
    files: manifest(`stringData: { a: ${canary} }\n`),
    stage: {
      readyChecks: {
        timeout: '1s',
        exprs: [{ apiVersion: 'v1', kind: 'Secret', current: 'spec.a.matches(metadata.name)' }],
      },
    },
  },
};

const telling = [
  ['get', 'stagesets,stageruns,stageinventories,stageledgers', '-A', '-o', 'json'],
  ['get', 'events.events.k8s.io', '-A', '-o', 'json'],
  ['get', 'stageplans', '-A'],
  ['get', 'stageplans', '-A', '-o', 'yaml'],
  ['get', 'stagehistories', '-A', '-o', 'json'],
];

describe('attack 25: having the value of a Secret told (no log, event, status, metric, plan or error has it, part A 9.1)', () => {
  let playground: Playground;
  let api: RunningApi;

  before('start the API', async () => {
    playground = await sharedPlayground();
    const flags = ['--log-level=debug'];
    api = await startApi(playground, { rights: 'Installed', flags });
  });
  afterEach('remove the StageSets of the test', async function () {
    if (this.currentTest?.state === 'failed') showLog(api.process);
    await removeStageSets(playground);
  });
  after('stop the API', async () => {
    await api.process.stop();
  });

  async function shopWith(account = 'deployer'): Promise<TestNamespace> {
    const shop = await TestNamespace.create(playground);
    await shop.create(serviceAccount(account));
    const rules = ['configmaps', 'secrets'].map((resource) => ({
      apiGroups: [''],
      resources: [resource],
      verbs: everyVerb,
    }));
    const apps = { apiGroups: ['apps'], resources: ['deployments'], verbs: everyVerb };
    await grant(shop, { namespace: shop.name, name: account }, [...rules, apps]);
    await shop.create(
      secret('settings', {
        stringData: { password: canary, pin: '4711', bad: `${canary} {`, list: `[${canary}` },
      }),
    );
    return shop;
  }

  /** All that is told in answer to questions: by the objects, by plans and by the history. */
  async function told(shop: TestNamespace): Promise<string> {
    const answers: string[] = [];
    for (const question of telling) {
      const { stdout, stderr } = await playground.cluster.kubectl(question);
      answers.push(stdout, stderr);
    }
    for (const text of ['plan', 'history', 'advance']) {
      const path = `/apis/subresources.stages.metio.wtf/v1/namespaces/${shop.name}/stagesets/shop/${text}`;
      const { stdout, stderr } = await playground.cluster.kubectl(['get', '--raw', path]);
      answers.push(stdout, stderr);
    }
    answers.push(await (await fetch(api.process.metricsUrl)).text(), api.process.log.join('\n'));
    return answers.join('\n');
  }

  for (const [what, { files, stage }] of Object.entries(artifacts)) {
    it(`is told by nothing and nobody: ${what}`, async () => {
      const shop = await shopWith();
      await shop.publishFiles('app', 'v1', files);
      await shop.createStageSet([{ name: 'app', ...stage }], { serviceAccountName: 'deployer' });
      await shop.untilStageSet((seen) => {
        const ready = readyOf(seen);
        return ready?.status === 'False' && ready.reason !== 'Progressing';
      });
      expect(canaryIn(await told(shop))).to.equal(undefined);
    });
  }

  it('is told by nothing and nobody: rolled out, changed, corrected, pruned and removed', async () => {
    const shop = await shopWith();
    const postBuild = substituting;
    await shop.publish('app', 'v1', [secret('login'), configMap('web', { a: '${password}' })]);
    await shop.createStageSet([{ name: 'app', postBuild }], { serviceAccountName: 'deployer' });
    await shop.untilReady('v1');
    expect(canaryIn(await told(shop))).to.equal(undefined);
    await shop.patch(secret('login'), { stringData: { password: `${canary}-changed` } });
    await shop.patch(configMap('web'), { data: { a: `${canary}-changed` } });
    await shop.untilEvent('DriftCorrected');
    await shop.publish('app', 'v2', [secret('login', { stringData: { password: `2-${canary}` } })]);
    await shop.changeSpec({ suspend: true });
    expect(canaryIn(await told(shop))).to.equal(undefined);
    await shop.changeSpec({ suspend: false });
    await shop.untilReady('v2');
    expect(canaryIn(await told(shop))).to.equal(undefined);
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
    expect(canaryIn(await told(shop))).to.equal(undefined);
  });
});

describe('attack 53: having the value of a Secret told on its way to a remote cluster (neither cluster tells it, part A 9.3)', () => {
  const remote = useRemoteCluster();
  const stand = useController({ flags: ['--log-level=debug', allowLocalClusters] });

  it('is told by nothing and nobody, here and there', async () => {
    const shop = await stand.namespace();
    await remote().join(shop);
    await shop.create(kubeconfigSecret(await remote().kubeconfig()));
    await shop.publish('app', 'v1', [secret('login')]);
    await shop.createStageSet(['app'], toParis);
    await shop.untilReady('v1');
    const reference = { apiVersion: 'v1', kind: 'Secret', namespace: shop.name, name: 'login' };
    const stored = await remote().client.get(reference, remote().call);
    expect(stored['data']).to.deep.equal({ password: Buffer.from(canary).toString('base64') });
    const refused = { ...secret('login'), type: 'kubernetes.io/tls' };
    await shop.publish('app', 'v2', [refused, configMap('web', { password: canary })]);
    await shop.untilReason('StageFailed');
    for (const question of telling) {
      const { stdout, stderr } = await stand.playground.cluster.kubectl(question);
      expect(canaryIn(stdout + stderr), question.join(' ')).to.equal(undefined);
    }
    const events = ['get', 'events.events.k8s.io', '-A', '-o', 'json'];
    const there = await remote().cluster.kubectl(events);
    expect(canaryIn(there.stdout + there.stderr)).to.equal(undefined);
    expect(canaryIn(stand.controller.log.join('\n'))).to.equal(undefined);
  });
});

describe('the search for the canary', () => {
  it('finds it wherever a controller could tell it', async () => {
    const playground = await sharedPlayground();
    const shop = await TestNamespace.create(playground);
    const cage = new CanaryCage(playground.client);
    try {
      for (const told of [canary, ` ${canary}`, `ab${canary}!`]) {
        expect(canaryIn(`before ${told} after`)).to.be.a('string');
        expect(canaryIn(`x ${Buffer.from(told).toString('base64')} y`)).to.be.a('string');
      }
      expect(canaryIn(Buffer.from('canary-Yx81qLw07').toString('base64'))).to.equal(undefined);
      cage.look('a test', `"${canary}"`);
      const end: unknown = await cage.close().catch((error: unknown) => error);
      expect(end).to.be.an('error').with.property('message').that.includes('a test: "canary-');
    } finally {
      await cage.close().catch(() => undefined);
      await removeStageSets(shop.playground);
    }
  });

  it('finds keys and tokens that nobody planted, too', () => {
    const key = '-----BEGIN PRIVATE KEY-----';
    const token = 'eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJhdWQiOlsicGFyaXMiXX0.c2lnbmF0dXJl';
    for (const told of [key, token, 'AGE-SECRET-KEY-1QQQSYQCYQ5RQWZQFPG9SCRGWPUGPZYSNZS']) {
      expect(canaryIn(`before ${told} after`), told).to.be.a('string');
    }
    expect(canaryIn(Buffer.from(key).toString('base64'))).to.be.a('string');
    expect(canaryIn('the PRIVATE KEY of age, of a TLS Secret, and {"alg":"RS256"}')).to.equal(
      undefined,
    );
  });

  it('surrounds every cluster in which a test has a controller', async () => {
    const directory = fileURLToPath(new URL('..', import.meta.url));
    const files = (await readdir(directory, { recursive: true })).filter((file) =>
      file.endsWith('.ts'),
    );
    const uncaged: string[] = [];
    for (const file of files) {
      const text = await readFile(join(directory, file), 'utf8');
      if (/import \{[^}]*\bstartPlayground\b[^}]*\}/.test(text)) uncaged.push(file);
    }
    expect(uncaged).to.deep.equal(['canary.ts']);
  });
});
