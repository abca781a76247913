import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Cluster, startCluster } from '../../dev/cluster/cluster.ts';
import { milliseconds } from '../../src/core/time.ts';
import {
  type ApiError,
  isForbidden,
  isNotFound,
  isUnauthorized,
} from '../../src/kubernetes/api-error.ts';
import { KubernetesClient } from '../../src/kubernetes/client.ts';
import { Connection } from '../../src/kubernetes/connection.ts';
import { serviceAccountUser } from '../../src/kubernetes/identity.ts';
import { TokenStore } from '../../src/kubernetes/tokens.ts';
import { isFor, statusAnswer } from '../faults/faults.ts';
import { FaultProxy } from '../faults/proxy.ts';
import { caught, configMap, eventually, namespace } from './objects.ts';

describe('identities at a real API server', () => {
  const { signal } = new AbortController();
  const call = { signal };
  const recheckInterval = milliseconds(50);
  const open: Connection[] = [];
  let cluster: Cluster;
  let folder: string;
  let admin: KubernetesClient;

  before(async () => {
    cluster = await startCluster({ name: 'identity' });
    folder = await mkdtemp(join(tmpdir(), 'identity-'));
    admin = await connect(cluster.kubeconfig);
    await admin.create(namespace('team'), {}, call);
    for (const name of ['first', 'second', 'tenant']) {
      const metadata = { name, namespace: 'team' };
      await admin.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata }, {}, call);
    }
  });

  after(async () => {
    await Promise.all(open.map((connection) => connection.destroy()));
    await cluster.stop();
    await rm(folder, { recursive: true });
  });

  async function connect(path: string): Promise<KubernetesClient> {
    const connection = await Connection.open({ kind: 'File', path }, { recheckInterval });
    open.push(connection);
    return KubernetesClient.connect(connection);
  }

  /** Writes a kubeconfig for the cluster with this user, and returns its path. */
  async function kubeconfig(name: string, user: { [field: string]: unknown }): Promise<string> {
    const path = join(folder, name);
    const server = { server: cluster.url, 'certificate-authority': cluster.ca.certificate };
    await writeFile(
      path,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'it', cluster: server }],
        users: [{ name: 'me', user }],
        contexts: [{ name: 'it', context: { cluster: 'it', user: 'me' } }],
        'current-context': 'it',
      }),
    );
    return path;
  }

  async function tokenOf(name: string): Promise<string> {
    const reference = { apiVersion: 'v1', kind: 'ServiceAccount', namespace: 'team', name };
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
    const answer = await admin.createSubresource(reference, 'token', body, call);
    return (answer['status'] as { token: string }).token;
  }

  /** Writes the client certificate and key of a new user into these files. */
  async function writeCertificate(user: string, cert: string, key: string): Promise<void> {
    const text = await readFile(await cluster.kubeconfigFor(user), 'utf8');
    const data = /"client-certificate-data": "([^"]+)"[^}]*"client-key-data": "([^"]+)"/.exec(text);
    await writeFile(cert, Buffer.from(data?.[1] ?? '', 'base64'));
    await writeFile(key, Buffer.from(data?.[2] ?? '', 'base64'));
  }

  it('picks up a rotated token file', async () => {
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, `${await tokenOf('first')}\n`);
    const client = await connect(await kubeconfig('by-token', { tokenFile: 'token' }));
    expect(await whoAmI(client)).to.equal('system:serviceaccount:team:first');
    await writeFile(tokenFile, await tokenOf('second'));
    await eventually(async () => (await whoAmI(client)) === 'system:serviceaccount:team:second');
  });

  it('picks up a rotated client certificate, on new connections', async () => {
    const [cert, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
    await writeCertificate('alice', cert, key);
    const client = await connect(
      await kubeconfig('by-certificate', { 'client-certificate': cert, 'client-key': key }),
    );
    expect(await whoAmI(client)).to.equal('alice');
    await writeCertificate('bob', cert, key);
    await eventually(async () => (await whoAmI(client)) === 'bob');
  });

  it('stays with the old certificate while key and certificate do not belong together', async () => {
    const [cert, key] = [join(folder, 'half.crt'), join(folder, 'half.key')];
    await writeCertificate('carol', cert, key);
    const client = await connect(
      await kubeconfig('half', { 'client-certificate': cert, 'client-key': key }),
    );
    expect(await whoAmI(client)).to.equal('carol');
    const connection = open.at(-1);
    await writeCertificate('dave', cert, join(folder, 'other.key'));
    await eventually(async () => {
      expect(await whoAmI(client)).to.equal('carol');
      return connection?.lastError !== undefined;
    });
    await writeFile(key, await readFile(join(folder, 'other.key')));
    await eventually(async () => (await whoAmI(client)) === 'dave');
  });

  it('runs an exec plugin once and again when its token is refused', async () => {
    const credential = join(folder, 'credential.json');
    const runs = join(folder, 'runs');
    const write = async (token: string) =>
      writeFile(
        credential,
        JSON.stringify({
          apiVersion: 'client.authentication.k8s.io/v1',
          kind: 'ExecCredential',
          status: { token },
        }),
      );
    await write(await tokenOf('first'));
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: 'sh',
      args: ['-c', `echo run >> ${runs}; cat ${credential}`],
      interactiveMode: 'Never',
    };
    const client = await connect(await kubeconfig('by-exec', { exec }));
    for (let i = 0; i < 5; i += 1) {
      expect(await whoAmI(client)).to.equal('system:serviceaccount:team:first');
      await new Promise((resolve) => setTimeout(resolve, recheckInterval));
    }
    expect(await readFile(runs, 'utf8')).to.equal('run\n');

    await write('revoked');
    await open.at(-1)?.reload();
    await write(await tokenOf('second'));
    expect(await whoAmI(client)).to.equal('system:serviceaccount:team:second');
  });

  it('attack 94: credentials of the controller beside the token of a tenant (the token is the only one, part A 9.2)', async () => {
    const tokens = new TokenStore(admin);
    const tenant = tokens.clientFor('team', 'tenant');
    const secrets = { apiVersion: 'v1', kind: 'Secret', namespace: 'team' };
    expect((await admin.list(secrets, call)).items).to.deep.equal([]);
    expect(await whoAmI(tenant)).to.equal(serviceAccountUser('team', 'tenant'));
    expect(isForbidden(await caught(tenant.list(secrets, call)))).to.equal(true);
    const watching = tenant.watch({ ...secrets, resourceVersion: '' }, call).next();
    expect(isForbidden(await caught(watching))).to.equal(true);

    // With our client certificate on the connection, a token that is no token would be an admin's.
    const stranger = admin.withToken(
      () => Promise.resolve('no-token'),
      () => undefined,
    );
    const error = await caught(stranger.list(secrets, call));
    expect(isUnauthorized(error)).to.equal(true);
    expect((error as ApiError).message).to.contain('the ServiceAccount may be gone');
  });

  it('fails for a ServiceAccount that does not exist', async () => {
    const tokens = new TokenStore(admin);
    const nobody = tokens.clientFor('team', 'nobody');
    const error = await caught(whoAmI(nobody));
    // Not "not found": that would read as the answer to what was asked for.
    expect(isNotFound(error)).to.equal(false);
    expect((error as Error).message).to.contain('ServiceAccount team/nobody: it does not exist');
  });

  it('[edge case 30] mints one token for all who wait, and a new one after a 401, once (part A 11)', async () => {
    const proxy = await FaultProxy.start(cluster.kubeconfig);
    const connection = await Connection.open({ kind: 'Text', text: proxy.kubeconfig });
    const tokens = new TokenStore(KubernetesClient.connect(connection));
    const tenant = tokens.clientFor('team', 'tenant');
    const minted = () => proxy.requests.filter(({ url }) => url.endsWith('/token')).length;
    const expected = serviceAccountUser('team', 'tenant');

    const all = await Promise.all(Array.from({ length: 10 }, () => whoAmI(tenant)));
    expect(new Set(all)).to.deep.equal(new Set([expected]));
    expect(minted()).to.equal(1);

    const refuse = (times: number) =>
      proxy.inject({
        match: isFor('selfsubjectreviews'),
        times,
        fault: statusAnswer(401, 'Unauthorized'),
      });
    const once = refuse(1);
    expect(await whoAmI(tenant)).to.equal(expected);
    once();
    expect(minted()).to.equal(2);

    const always = refuse(100);
    const seen = proxy.requests.length;
    expect(isUnauthorized(await caught(whoAmI(tenant)))).to.equal(true);
    always();
    const reviews = proxy.requests.slice(seen).filter(isFor('selfsubjectreviews'));
    expect(reviews).to.have.length(2);
    await connection.destroy();
    await proxy.stop();
  });

  it('acts as another user by impersonation', async () => {
    const user = serviceAccountUser('team', 'tenant');
    const impersonating = admin.impersonating(user);
    expect(await whoAmI(impersonating)).to.equal(user);
    const map = configMap('team', 'x', {});
    expect(isForbidden(await caught(impersonating.get(map.reference, call)))).to.equal(true);
  });

  async function whoAmI(client: KubernetesClient): Promise<string> {
    const apiVersion = 'authentication.k8s.io/v1';
    const review = (await client.raw(
      {
        method: 'POST',
        path: `/apis/${apiVersion}/selfsubjectreviews`,
        body: { apiVersion, kind: 'SelfSubjectReview' },
      },
      call,
    )) as { status: { userInfo: { username: string } } };
    return review.status.userInfo.username;
  }
});
