import { expect } from 'chai';
import { createAuthority } from '../../src/certs/authority.ts';
import { certificatesIn } from '../../src/certs/bundle.ts';
import { bundlesIn } from '../../src/certs/bundle-patch.ts';
import { CaBundles } from '../../src/certs/ca-bundles.ts';
import { isPublished } from '../../src/certs/published.ts';
import {
  SelfSignedCertificates,
  type SelfSignedOptions,
  servingSecretName,
} from '../../src/certs/self-signed.ts';
import { instant, milliseconds, minutes } from '../../src/core/time.ts';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import type { CertificateSource } from '../../src/types/serving-certificate.ts';
import { silentLogger } from '../logger.ts';
import { sharedPlayground } from '../playground.ts';
import { handshake, serveWith } from '../serving.ts';
import { TestNamespace } from '../test-namespace.ts';
import { eventually } from './objects.ts';

const host = 'webhook.system.svc';

describe('serving certificates', () => {
  const call = { signal: new AbortController().signal };
  const ending: (() => Promise<unknown>)[] = [];
  let client: KubernetesClient;
  let namespace: string;

  beforeEach(async () => {
    const playground = await sharedPlayground();
    client = playground.client;
    namespace = (await TestNamespace.create(playground)).name;
  });

  afterEach(async () => {
    for (const end of ending.splice(0).reverse()) await end();
  });

  describe('of our own authority', () => {
    /** A source that looks at its clock and Secret often. */
    function replica(options: Partial<SelfSignedOptions> = {}): SelfSignedCertificates {
      const source = new SelfSignedCertificates({
        client,
        namespace,
        dnsNames: [host],
        validFor: minutes(60),
        lookEvery: milliseconds(100),
        backoff: { base: milliseconds(50), cap: milliseconds(200), jitter: 0.5 },
        clock: () => instant(Date.now()),
        logger: silentLogger,
        ...options,
      });
      ending.push(async () => await source.stop());
      source.start();
      return source;
    }

    it('is one for all replicas that begin at the same moment, and for a late one', async () => {
      const early = [replica(), replica(), replica()];
      await Promise.all(early.map(isReady));
      const late = replica();
      await isReady(late);
      const [first = late] = early;
      await eventually(() => early.every((each) => each.caBundle() === late.caBundle()));
      expect(certificatesIn(late.caBundle())).to.have.lengthOf(1);
      expect(first.current()).to.deep.equal(late.current());
      const secret = await client.get(secretIn(namespace), call);
      expect(secret['type']).to.equal('kubernetes.io/tls');
    });

    it('fills an empty Secret that a chart made, and keeps its labels', async () => {
      const labels = { 'app.kubernetes.io/managed-by': 'Helm' };
      const metadata = { name: servingSecretName, namespace, labels };
      const empty = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque' };
      await client.create(empty, {}, call);
      const source = replica();
      await isReady(source);
      const filled = await client.get(secretIn(namespace), call);
      expect(filled.metadata.labels).to.deep.equal(labels);
      expect(filled['type']).to.equal('Opaque');
    });

    it("leaves somebody else's Secret as it is, and says so", async () => {
      const metadata = { name: servingSecretName, namespace };
      const data = { 'tls.crt': 'aGk=', 'tls.key': 'aGk=' };
      await client.create({ apiVersion: 'v1', kind: 'Secret', metadata, data }, {}, call);
      const source = replica();
      await eventually(() => source.trouble !== undefined);
      expect(source.ready()).to.include('its data is not of this controller; empty or delete it');
      expect((await client.get(secretIn(namespace), call))['data']).to.deep.equal(data);
    });

    it('is another one after the Secret was deleted', async () => {
      const [one, two] = [replica(), replica()];
      await Promise.all([isReady(one), isReady(two)]);
      const before = one.caBundle();
      await client.delete(secretIn(namespace), {}, call);
      await eventually(() => one.caBundle() !== before && one.caBundle() === two.caBundle());
      expect(certificatesIn(one.caBundle())).to.have.lengthOf(1);
    });

    it('serves verified handshakes at every moment of a rotation', async function () {
      this.timeout(60_000);
      const begin = Date.now();
      let ahead = 0;
      const clock = () => instant(begin + minutes(ahead));
      const name = `${namespace}-rotation`;
      const configurations = { validating: [name], mutating: [name] };
      const options = {
        clock,
        isPublished: async (bundle: string, signal: AbortSignal) =>
          await isPublished(client, { webhooks: configurations, apiServices: [] }, bundle, {
            signal,
          }),
      };
      const [writing, other] = [replica(options), replica(options)];
      await Promise.all([isReady(writing), isReady(other)]);
      for (const kind of kinds) await client.create(configuration(kind, name), {}, call);
      const bundles = new CaBundles({
        client,
        configurations,
        certificates: writing,
        logger: silentLogger,
      });
      ending.push(async () => await bundles.stop());
      bundles.start();
      const published = async (kind: string = 'ValidatingWebhookConfiguration') => {
        const reference = { apiVersion, kind, name };
        return bundlesIn(await client.get(reference, call));
      };
      const allHave = async (count: number) => {
        const all = (await Promise.all(kinds.map(published))).flat();
        return all.length === 4 && all.every((pem) => certificatesIn(pem).length === count);
      };
      await eventually(async () => await allHave(1));

      const servers = [await serveWith(writing), await serveWith(other)];
      ending.push(
        async () => await Promise.all(servers.map(async (server) => await server.stop())),
      );
      const seen = new Set<string>();
      let handshakes = 0;
      let calling = true;
      const callers = servers.map(async ({ port }) => {
        while (calling) {
          const [bundle = ''] = await published();
          seen.add(await handshake(port, host, bundle));
          handshakes += 1;
        }
      });
      const throughout = Promise.all(callers);
      // It is awaited in the end; until then, a failure must be the test's.
      throughout.catch(() => undefined);
      const more = async (): Promise<void> => {
        const enough = handshakes + 20;
        await Promise.race([eventually(() => handshakes >= enough), throughout]);
      };
      await more();
      expect(seen.size).to.equal(1);

      ahead = 41; // The last third of an hour has begun.
      await eventually(async () => await allHave(2));
      await more();
      expect(seen.size).to.equal(1);

      ahead = 52; // The overlap is over.
      await eventually(() => seen.size === 2);
      await eventually(() => writing.current().privateKey === other.current().privateKey);
      await more();
      expect(await allHave(2)).to.equal(true);

      ahead = 61; // The first authority has ended.
      await eventually(async () => await allHave(1));
      await more();
      expect(seen.size).to.equal(2);
      calling = false;
      await throughout;
    });

    it('waits for a caBundle that nobody writes, rather than serve what is not trusted', async () => {
      const begin = Date.now();
      let ahead = 0;
      let seen = false;
      let asked = 0;
      const source = replica({
        clock: () => instant(begin + minutes(ahead)),
        isPublished: async () => {
          asked += 1;
          return await Promise.resolve(seen);
        },
      });
      await isReady(source);
      const before = source.current();
      ahead = 41;
      await eventually(() => certificatesIn(source.caBundle()).length === 2);
      ahead = 52;
      await eventually(() => asked > 3);
      expect(source.current()).to.deep.equal(before);
      seen = true;
      await eventually(() => source.current().privateKey !== before.privateKey);
    });
  });

  describe('in the caBundle of webhooks', () => {
    const fixed = (bundle: string): Pick<CertificateSource, 'caBundle' | 'onRenewal'> => ({
      caBundle: () => bundle,
      onRenewal: () => () => undefined,
    });

    it('come back when somebody takes them away, and nothing else changes', async () => {
      const name = `${namespace}-bundle`;
      const { certificate } = await authority();
      const bundles = new CaBundles({
        client,
        configurations: { validating: [name], mutating: [`${name}-absent`] },
        certificates: fixed(certificate),
        logger: silentLogger,
      });
      ending.push(async () => await bundles.stop());
      bundles.start();
      const kind = 'ValidatingWebhookConfiguration';
      const reference = { apiVersion, kind, name };
      // It was absent so far.
      const created = await client.create(configuration(kind, name), {}, call);
      const written = async () => {
        const found = bundlesIn(await client.get(reference, call));
        return found.length === 2 && found.every((pem) => pem === certificate);
      };
      await eventually(written);
      expect(withoutBundles(await client.get(reference, call))).to.deep.equal(
        withoutBundles(created),
      );
      const emptied = [
        { op: 'remove', path: '/webhooks/1/clientConfig/caBundle' },
        { op: 'add', path: '/metadata/labels', value: { by: 'hand' } },
      ];
      await client.patch(reference, { type: 'Json', body: emptied }, call);
      await eventually(written);
      expect((await client.get(reference, call)).metadata.labels).to.deep.equal({ by: 'hand' });
      expect(bundles.trouble).to.equal(undefined);
    });

    it('are left to cert-manager where it injects them', async () => {
      const [injected, ours] = [`${namespace}-injected`, `${namespace}-ours`];
      const kind = 'MutatingWebhookConfiguration';
      const annotations = { 'cert-manager.io/inject-ca-from': 'system/serving' };
      const other = configuration(kind, injected);
      other.metadata.annotations = annotations;
      await client.create(other, {}, call);
      await client.create(configuration(kind, ours), {}, call);
      const { certificate } = await authority();
      const bundles = new CaBundles({
        client,
        configurations: { validating: [], mutating: [injected, ours] },
        certificates: fixed(certificate),
        logger: silentLogger,
      });
      ending.push(async () => await bundles.stop());
      bundles.start();
      const of = async (name: string) =>
        bundlesIn(await client.get({ apiVersion, kind, name }, call));
      await eventually(async () => (await of(ours)).every((pem) => pem === certificate));
      expect(await of(injected)).to.deep.equal(['', '']);
    });
  });
});

const apiVersion = 'admissionregistration.k8s.io/v1';
const kinds = ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'];

/** Two webhooks that nothing matches. */
function configuration(kind: string, name: string): KubernetesObject {
  const webhook = (prefix: string) => ({
    name: `${prefix}.stages.metio.wtf`,
    clientConfig: { service: { namespace: 'system', name: 'webhook', path: `/${prefix}` } },
    rules: [
      {
        apiGroups: ['nobody.example.com'],
        apiVersions: ['v1'],
        operations: ['*'],
        resources: ['*'],
      },
    ],
    failurePolicy: 'Ignore',
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
  });
  return { apiVersion, kind, metadata: { name }, webhooks: [webhook('one'), webhook('two')] };
}

/** The webhooks with every other field that they have. */
function withoutBundles({ webhooks }: KubernetesObject): unknown {
  const text = JSON.stringify(webhooks, (key, value: unknown) =>
    key === 'caBundle' ? undefined : value,
  );
  return JSON.parse(text);
}

function secretIn(namespace: string) {
  return { apiVersion: 'v1', kind: 'Secret', namespace, name: servingSecretName };
}

async function isReady(source: CertificateSource): Promise<void> {
  await eventually(() => source.ready() === undefined);
}

async function authority() {
  const now = instant(Date.now());
  return createAuthority({ commonName: `test ${now}`, validFor: minutes(60), now });
}
