import type { RequestListener } from 'node:http';
import { expect } from 'chai';
import { freePorts } from '../../dev/cluster/ports.ts';
import { createAuthority } from '../../src/certs/authority.ts';
import { issueCertificate } from '../../src/certs/issue.ts';
import { isPublished } from '../../src/certs/published.ts';
import { instant, milliseconds, minutes } from '../../src/core/time.ts';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import { objectAt, objectsAt, stringAt } from '../../src/kubernetes/shapes.ts';
import {
  ApiRegistration,
  type ApiRegistrationOptions,
} from '../../src/registration/api-registration.ts';
import { httpsProbe } from '../../src/registration/https-probe.ts';
import type { CertificateSource, ServingCertificate } from '../../src/types/serving-certificate.ts';
import { silentLogger } from '../logger.ts';
import { sharedPlayground } from '../playground.ts';
import { type ServingTest, serveWith } from '../serving.ts';
import { TestNamespace } from '../test-namespace.ts';
import { eventually } from './objects.ts';

const reference = {
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  name: 'v1.subresources.stages.metio.wtf',
};
const path = '/apis/subresources.stages.metio.wtf/v1';

describe('the registration of the API', () => {
  const call = { signal: new AbortController().signal };
  const ending: (() => Promise<unknown>)[] = [];
  let client: KubernetesClient;
  let service: { namespace: string; name: string; port: number };

  beforeEach(async () => {
    const playground = await sharedPlayground();
    client = playground.client;
    const { name: namespace } = await TestNamespace.create(playground);
    const [port = 0] = await freePorts(1);
    service = { namespace, name: 'api', port };
    const spec = { type: 'ExternalName', externalName: 'localhost' };
    const metadata = { name: service.name, namespace };
    await client.create({ apiVersion: 'v1', kind: 'Service', metadata, spec }, {}, call);
  });

  afterEach(async () => {
    for (const end of ending.splice(0).reverse()) await end();
    await client.delete(reference, {}, call);
  });

  function registration(
    certificates: CertificateSource,
    options: Partial<ApiRegistrationOptions> = {},
  ): ApiRegistration {
    const { namespace, name, port } = service;
    const registering = new ApiRegistration({
      client,
      service,
      certificates,
      // A Service of type ExternalName leads here, but only within the API server.
      probe: httpsProbe({ host: `${name}.${namespace}.svc`, port, connectTo: '127.0.0.1' }),
      terms: {
        withdrawAfter: milliseconds(600),
        probeEvery: milliseconds(100),
        probeAgain: milliseconds(100),
      },
      clock: () => instant(Date.now()),
      logger: silentLogger,
      ...options,
    });
    ending.push(async () => await registering.stop('LeadershipEnds'));
    registering.start();
    return registering;
  }

  async function serve(certificates: CertificateSource): Promise<ServingTest> {
    const server = await serveWith(certificates, discovery, service.port);
    ending.push(async () => await server.stop());
    return server;
  }

  const isThere = async () => (await client.find(reference, call)) !== undefined;

  /** Whether kube-apiserver verifies us with the bundle that is registered. */
  async function isAvailable(): Promise<boolean> {
    const found = await client.find(reference, call);
    const conditions = objectsAt(objectAt(found ?? {}, 'status'), 'conditions');
    return conditions.some(({ type, status }) => type === 'Available' && status === 'True');
  }

  it('follows the replicas: there with the first, gone after the last, and there again', async () => {
    const certificates = await FixedCertificates.for(service);
    const registering = registration(certificates);
    await eventually(() => registering.trouble !== undefined);
    expect(await isThere()).to.equal(false);

    const first = await serve(certificates);
    await eventually(isAvailable);
    expect(await client.raw({ method: 'GET', path }, call)).to.deep.include({
      groupVersion: 'subresources.stages.metio.wtf/v1',
    });
    expect(registering.trouble).to.equal(undefined);
    const { spec, metadata } = await client.get(reference, call);
    expect(spec).to.deep.equal({
      group: 'subresources.stages.metio.wtf',
      version: 'v1',
      groupPriorityMinimum: 100,
      versionPriority: 100,
      service,
      caBundle: Buffer.from(certificates.caBundle()).toString('base64'),
    });
    expect(metadata.labels).to.deep.equal({
      'app.kubernetes.io/managed-by': 'stageset-controller',
    });

    await first.stop();
    await eventually(async () => !(await isThere()));

    await serve(certificates);
    await eventually(isAvailable);
  });

  it('puts a renewed bundle and a changed field right', async () => {
    const certificates = await FixedCertificates.for(service);
    registration(certificates);
    await serve(certificates);
    await eventually(isAvailable);
    const old = certificates.caBundle();
    await certificates.renew(service);
    const bundle = async () =>
      stringAt(objectAt(await client.get(reference, call), 'spec'), 'caBundle');
    const renewed = Buffer.from(certificates.caBundle()).toString('base64');
    await eventually(async () => (await bundle()) === renewed);

    const holders = {
      webhooks: { validating: ['absent'], mutating: [] },
      apiServices: [reference.name, 'v1.absent.example.com'],
    };
    expect(await isPublished(client, holders, certificates.caBundle(), call)).to.equal(true);
    expect(await isPublished(client, holders, old, call)).to.equal(false);

    const edited = { spec: { caBundle: null, insecureSkipTLSVerify: true, versionPriority: 7 } };
    await client.patch(reference, { type: 'Merge', body: edited }, call);
    await eventually(async () => (await bundle()) === renewed);
    const { spec } = await client.get(reference, call);
    expect(spec)
      .to.include({ versionPriority: 100 })
      .and.not.have.property('insecureSkipTLSVerify');
  });

  it('keeps the bundle that is there while there is no certificate', async () => {
    const certificates = await FixedCertificates.for(service);
    const first = registration(certificates);
    await serve(certificates);
    await eventually(isAvailable);
    await first.stop('LeadershipEnds');
    const before = await client.get(reference, call);
    const awaited = registration(new AwaitedCertificates());
    await eventually(() => awaited.trouble !== undefined);
    expect((await client.get(reference, call))['spec']).to.deep.equal(before['spec']);
  });

  it('ends with the API, but not with the leadership', async () => {
    const certificates = await FixedCertificates.for(service);
    const terms = {
      withdrawAfter: minutes(1),
      probeEvery: milliseconds(100),
      probeAgain: milliseconds(100),
    };
    const first = registration(certificates, { terms });
    const server = await serve(certificates);
    await eventually(isAvailable);
    await first.stop('LeadershipEnds');
    expect(await isThere()).to.equal(true);
    const second = registration(certificates, { terms });
    await server.stop();
    await second.stop('ApiEnds');
    expect(await isThere()).to.equal(false);
  });

  it('leaves an APIService alone that is not labelled as ours', async () => {
    const certificates = await FixedCertificates.for(service);
    const spec = {
      group: 'subresources.stages.metio.wtf',
      version: 'v1',
      groupPriorityMinimum: 500,
      versionPriority: 15,
      service,
      insecureSkipTLSVerify: true,
    };
    const { apiVersion, kind, name } = reference;
    await client.create({ apiVersion, kind, metadata: { name }, spec }, {}, call);
    const registering = registration(certificates);
    const server = await serve(certificates);
    await eventually(() => registering.trouble?.includes('is not labelled') === true);
    await server.stop();
    await eventually(() => registering.trouble?.includes('is not labelled') === true);
    await registering.stop('ApiEnds');
    expect((await client.get(reference, call))['spec']).to.deep.equal(spec);
  });
});

/** What the aggregator asks for; `/readyz` besides. */
const discovery: RequestListener = ({ url }, response) => {
  if (url?.startsWith(path) !== true) {
    response.end('ok');
    return;
  }
  response.setHeader('Content-Type', 'application/json');
  const list = { kind: 'APIResourceList', apiVersion: 'v1', resources: [] };
  response.end(JSON.stringify({ ...list, groupVersion: 'subresources.stages.metio.wtf/v1' }));
};

/** A source that renews when a test says so. */
class FixedCertificates implements CertificateSource {
  readonly #listeners = new Set<(renewed: ServingCertificate) => void>();
  #serving: ServingCertificate;
  #bundle: string;

  private constructor({ serving, bundle }: Issued) {
    this.#serving = serving;
    this.#bundle = bundle;
  }

  static async for(service: { namespace: string; name: string }): Promise<FixedCertificates> {
    return new FixedCertificates(await issue(service));
  }

  async renew(service: { namespace: string; name: string }): Promise<void> {
    ({ serving: this.#serving, bundle: this.#bundle } = await issue(service));
    for (const listener of this.#listeners) listener(this.#serving);
  }

  current(): ServingCertificate {
    return this.#serving;
  }

  onRenewal(listener: (renewed: ServingCertificate) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  caBundle(): string {
    return this.#bundle;
  }

  ready(): string | undefined {
    return undefined;
  }

  async stop(): Promise<void> {
    await Promise.resolve();
  }
}

/** A source that has not got its first certificate. */
class AwaitedCertificates implements CertificateSource {
  current(): ServingCertificate {
    throw new Error('there is none');
  }

  onRenewal(): () => void {
    return () => undefined;
  }

  caBundle(): string {
    return '';
  }

  ready(): string | undefined {
    return 'there is none';
  }

  async stop(): Promise<void> {
    await Promise.resolve();
  }
}

interface Issued {
  serving: ServingCertificate;
  bundle: string;
}

async function issue({ namespace, name }: { namespace: string; name: string }): Promise<Issued> {
  const now = instant(Date.now());
  const ca = await createAuthority({ commonName: `test ${now}`, validFor: minutes(60), now });
  const leaf = await issueCertificate(ca, {
    commonName: 'api',
    dnsNames: [`${name}.${namespace}.svc`],
    usage: 'server',
    validFor: minutes(60),
    now,
  });
  const notAfter = new Date(now + minutes(60));
  const { certificate: certificateChain, privateKey } = leaf;
  return { serving: { certificateChain, privateKey, notAfter }, bundle: ca.certificate };
}
