import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { certificatesIn, holdsBundle } from '../../../src/certs/bundle.ts';
import { decideRotation } from '../../../src/certs/rotation.ts';
import { type ChangingStep, carryOut } from '../../../src/certs/rotation-steps.ts';
import {
  dnsNamesOf,
  readStored,
  rotationStateOf,
  type StoredCertificates,
  storedIn,
  trustedBy,
} from '../../../src/certs/stored-certificates.ts';
import { TerminalError } from '../../../src/core/errors.ts';
import { type Instant, instant, minutes } from '../../../src/core/time.ts';
import type { KubernetesObject } from '../../../src/types/kubernetes.ts';

const dnsNames = ['api.system.svc', 'api.system.svc.cluster.local'];
const begin = instant(Date.UTC(2026, 0, 1));
const validFor = minutes(90);

function after(count: number): Instant {
  return instant(begin + minutes(count));
}

async function take(
  step: ChangingStep,
  stored: StoredCertificates | undefined,
  now: Instant,
  names = dnsNames,
): Promise<StoredCertificates> {
  return carryOut(step, stored, { dnsNames: names, validFor, clock: () => now });
}

function secretWith(stored: StoredCertificates): KubernetesObject {
  const { annotations, data } = storedIn(stored);
  const metadata = { name: 'serving', namespace: 'system', annotations };
  return { apiVersion: 'v1', kind: 'Secret', metadata, data };
}

/** Whether the leaf verifies by one of the certificates of the bundle. */
function verifies({ leaf }: StoredCertificates, bundle: string): boolean {
  return certificatesIn(bundle).some((pem) => {
    const issuer = new X509Certificate(pem);
    return leaf.leaf.checkIssued(issuer) && leaf.leaf.verify(issuer.publicKey);
  });
}

describe('the steps of a rotation', () => {
  let first: StoredCertificates;
  let published: StoredCertificates;
  let second: StoredCertificates;

  before(async () => {
    first = await take({ kind: 'Create' }, undefined, begin);
    published = await take({ kind: 'PublishNext' }, first, after(60));
    second = await take({ kind: 'Activate', when: 'OnceSeen' }, published, after(70));
  });

  it('keep every leaf verifiable by the bundle before and after it', () => {
    expect(verifies(first, trustedBy(first))).to.equal(true);
    expect(verifies(first, trustedBy(published))).to.equal(true);
    expect(verifies(second, trustedBy(published))).to.equal(true);
    expect(verifies(first, trustedBy(second))).to.equal(true);
    expect(verifies(second, trustedBy(first))).to.equal(false);
  });

  it('publish one authority, then two, then the new one alone', async () => {
    expect(certificatesIn(trustedBy(first))).to.have.lengthOf(1);
    expect(certificatesIn(trustedBy(published))).to.have.lengthOf(2);
    expect(certificatesIn(trustedBy(second))).to.have.lengthOf(2);
    const last = await take({ kind: 'DropEnded' }, second, after(90));
    expect(trustedBy(last)).to.equal(published.next?.certificate);
  });

  it('forget the key of the authority that no longer serves', () => {
    const keys = Object.keys(storedIn(second).data).filter((key) => key.endsWith('.key'));
    expect(keys).to.deep.equal(['ca.key', 'tls.key']);
    expect(second.authority.privateKey).to.equal(published.next?.privateKey);
  });

  it('come back from the Secret as they went in', () => {
    for (const stored of [first, published, second]) {
      const read = readStored(secretWith(stored));
      expect(read).to.not.equal(undefined);
      expect(read && storedIn(read)).to.deep.equal(storedIn(stored));
    }
  });

  it('lead to the next ones', () => {
    const decided = (stored: StoredCertificates, minute: number): string =>
      decideRotation(rotationStateOf(stored, dnsNames), after(minute)).kind;
    expect(decided(first, 59)).to.equal('Wait');
    expect(decided(first, 60)).to.equal('PublishNext');
    expect(decided(published, 69)).to.equal('Wait');
    expect(decided(published, 70)).to.equal('Activate');
    expect(decided(second, 71)).to.equal('Wait');
    expect(decided(second, 90)).to.equal('DropEnded');
  });

  it('add the names that lack and keep those of another version', async () => {
    const state = rotationStateOf(first, ['webhook.system.svc']);
    expect(decideRotation(state, after(1))).to.deep.equal({ kind: 'Reissue' });
    const named = await take({ kind: 'Reissue' }, first, after(1), ['webhook.system.svc']);
    expect(dnsNamesOf(named.leaf)).to.have.members(['webhook.system.svc', ...dnsNames]);
    expect(trustedBy(named)).to.equal(trustedBy(first));
  });

  it('begin anew in a Secret of ours that was damaged, and in an empty one', () => {
    const secret = secretWith(first);
    const { data } = storedIn(second);
    const mixed = { ...storedIn(first).data, 'tls.key': data['tls.key'] };
    expect(readStored({ ...secret, data: mixed })).to.equal(undefined);
    expect(readStored({ ...secret, data: { 'ca.crt': '%%%' } })).to.equal(undefined);
    const metadata = { name: 'serving', namespace: 'system' };
    const empty = { apiVersion: 'v1', kind: 'Secret', metadata };
    expect(readStored(empty)).to.equal(undefined);
    expect(readStored({ ...empty, data: { 'tls.crt': '', 'tls.key': '' } })).to.equal(undefined);
  });

  it("leave somebody else's data alone", () => {
    const secret = secretWith(first);
    const foreign = { ...secret, metadata: { name: 'serving', namespace: 'system' } };
    expect(() => readStored(foreign)).to.throw(
      TerminalError,
      'Secret system/serving: its data is not of this controller; empty or delete it, or name another Secret',
    );
  });

  it('are published where the bundle holds all of it, however it is wrapped', () => {
    expect(holdsBundle(trustedBy(published), trustedBy(first))).to.equal(true);
    expect(holdsBundle(trustedBy(first), trustedBy(published))).to.equal(false);
    expect(holdsBundle(trustedBy(first).replaceAll('\n', '\r\n'), trustedBy(first))).to.equal(true);
    expect(holdsBundle('', trustedBy(first))).to.equal(false);
  });
});
