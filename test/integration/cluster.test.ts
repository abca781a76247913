import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { assetsDirectory } from '../../dev/assets/locate.ts';
import { type Cluster, startCluster } from '../../dev/cluster/cluster.ts';
import { freePorts } from '../../dev/cluster/ports.ts';
import { isProcess } from '../../dev/process/alive.ts';
import { type RunResult, run } from '../../dev/process/run.ts';
import { createAuthority } from '../../src/certs/authority.ts';
import { issueCertificate } from '../../src/certs/issue.ts';
import { instant, minutes } from '../../src/core/time.ts';

interface Remains {
  directory: string;
  processes: Record<string, number>;
}

/** Names of processes that still run, and the directory when it still exists. */
async function leftOf({ directory, processes }: Remains): Promise<string[]> {
  const left: string[] = [];
  for (const [name, pid] of Object.entries(processes)) {
    if (await isProcess(pid, directory)) {
      left.push(name);
    }
  }
  const exists = await stat(directory).then(
    () => true,
    () => false,
  );
  return exists ? [...left, directory] : left;
}

async function nothingLeft(remains: Remains): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline && (await leftOf(remains)).length > 0) {
    await delay(50);
  }
  expect(await leftOf(remains)).to.deep.equal([]);
}

async function answerOf(cluster: Cluster, args: string[], kubeconfig?: string): Promise<string> {
  const { stdout, stderr } = await cluster.kubectl(args, { kubeconfig });
  return stdout + stderr;
}

describe('a throwaway cluster', function () {
  this.timeout(120_000);

  describe('while it runs', () => {
    let cluster: Cluster;

    before(async () => {
      cluster = await startCluster({ controllerManager: 'with' });
    });

    after(async () => {
      await cluster.stop();
    });

    it('reports Kubernetes 1.36 with its full version', async () => {
      expect(await answerOf(cluster, ['get', '--raw', '/version'])).to.match(
        /"gitVersion": "v1\.36\.\d+"/,
      );
    });

    it('lets nobody do what RBAC does not grant', async () => {
      const kubeconfig = await cluster.kubeconfigFor('mallory', ['strangers']);
      expect(await answerOf(cluster, ['get', 'secrets', '-A'], kubeconfig)).to.include(
        'Error from server (Forbidden): secrets is forbidden: User "mallory" cannot list resource "secrets" in API group "" at the cluster scope',
      );
    });

    it('grants a group what is bound to it', async () => {
      const granted = await cluster.kubectl([
        'create',
        'clusterrolebinding',
        'viewers',
        '--clusterrole=view',
        '--group=viewers',
      ]);
      expect(granted.code).to.equal(0);
      const kubeconfig = await cluster.kubeconfigFor('vera', ['viewers']);
      expect(await answerOf(cluster, ['auth', 'can-i', 'list', 'pods', '-A'], kubeconfig)).to.equal(
        'yes\n',
      );
    });

    it('tells aggregated servers whom to trust', async () => {
      const text = await answerOf(cluster, [
        'get',
        'configmap',
        'extension-apiserver-authentication',
        '--namespace=kube-system',
        '--output=jsonpath={.data}',
      ]);
      expect(JSON.parse(text)).to.deep.equal({
        'client-ca-file': await readFile(cluster.ca.certificate, 'utf8'),
        'requestheader-client-ca-file': await readFile(cluster.frontProxyCa.certificate, 'utf8'),
        'requestheader-allowed-names': '["front-proxy-client"]',
        'requestheader-username-headers': '["X-Remote-User"]',
        'requestheader-uid-headers': '["X-Remote-Uid"]',
        'requestheader-group-headers': '["X-Remote-Group"]',
        'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
      });
    });

    it('proxies to an aggregated server on this machine as the front proxy', async () => {
      const now = instant(Date.now());
      const ca = await createAuthority({ commonName: 'ours', validFor: minutes(60), now });
      const serving = await issueCertificate(ca, {
        commonName: 'echo',
        dnsNames: ['echo.default.svc'],
        usage: 'server',
        validFor: minutes(60),
        now,
      });
      const seen: { user: unknown; groups: unknown; peer: string | undefined }[] = [];
      const server = createServer(
        {
          key: serving.privateKey,
          cert: serving.certificate,
          ca: await readFile(cluster.frontProxyCa.certificate),
          requestCert: true,
        },
        (request, response) => {
          const user = request.headers['x-remote-user'];
          const groups = request.headers['x-remote-group'];
          if (request.url === '/apis/echo.example.com/v1/echo') {
            const peer =
              request.socket instanceof TLSSocket
                ? request.socket.getPeerX509Certificate()?.subject
                : undefined;
            seen.push({ user, groups, peer });
          }
          response.setHeader('Content-Type', 'application/json');
          response.end('{"kind":"Echo","apiVersion":"echo.example.com/v1"}');
        },
      );
      const [port = 0] = await freePorts(1);
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      try {
        const applied = await cluster.kubectl(['apply', '-f', '-'], {
          input: `
apiVersion: v1
kind: Service
metadata:
  name: echo
  namespace: default
spec:
  type: ExternalName
  externalName: localhost
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata:
  name: v1.echo.example.com
spec:
  group: echo.example.com
  version: v1
  groupPriorityMinimum: 1000
  versionPriority: 15
  caBundle: ${Buffer.from(ca.certificate).toString('base64')}
  service:
    name: echo
    namespace: default
    port: ${port}
`,
        });
        expect(applied.code, applied.stderr).to.equal(0);
        const waited = await cluster.kubectl([
          'wait',
          'apiservice/v1.echo.example.com',
          '--for=condition=Available',
          '--timeout=30s',
        ]);
        expect(waited.code, waited.stderr).to.equal(0);
        const answer = await answerOf(cluster, ['get', '--raw', '/apis/echo.example.com/v1/echo']);
        expect(answer).to.include('"kind":"Echo"');
        expect(seen).to.deep.equal([
          {
            user: 'admin',
            groups: 'system:masters, system:authenticated',
            peer: 'CN=front-proxy-client',
          },
        ]);
      } finally {
        await cluster.kubectl(['delete', 'apiservice', 'v1.echo.example.com']);
        server.closeAllConnections();
        server.close();
      }
    });

    it('deletes a namespace with all that is in it', async () => {
      await cluster.kubectl(['create', 'namespace', 'short-lived']);
      await cluster.kubectl(['create', 'configmap', 'a', '--namespace=short-lived']);
      const deleted = await cluster.kubectl(['delete', 'namespace', 'short-lived', '--wait=true']);
      expect(deleted.stdout).to.equal('namespace "short-lived" deleted\n');
    });

    it('keeps its objects when the API server and etcd are killed and started again', async () => {
      await cluster.kubectl(['create', 'configmap', 'kept', '--from-literal=key=value']);
      await cluster.killApiServer();
      await cluster.killEtcd();
      expect((await cluster.kubectl(['get', 'configmap', 'kept'])).code).to.equal(1);
      await cluster.restartEtcd();
      await cluster.restartApiServer();
      expect(
        await answerOf(cluster, ['get', 'configmap', 'kept', '--output=jsonpath={.data.key}']),
      ).to.equal('value');
    });

    it('does not hear of objects of another cluster beside it', async () => {
      const other = await startCluster({ name: 'other' });
      try {
        await other.kubectl(['create', 'namespace', 'only-there']);
        expect(await answerOf(other, ['get', 'namespaces'])).to.include('only-there');
        expect(await answerOf(cluster, ['get', 'namespaces'])).not.to.include('only-there');
        expect(other.port).not.to.equal(cluster.port);
      } finally {
        await other.stop();
      }
    });
  });

  describe('at its end', () => {
    it('leaves neither a process nor a directory when it is stopped', async () => {
      const cluster = await startCluster();
      const remains = { directory: cluster.directory, processes: cluster.processes() };
      expect(await leftOf(remains)).to.deep.equal([
        'supervisor',
        'etcd',
        'kube-apiserver',
        cluster.directory,
      ]);
      await cluster.stop();
      expect(await leftOf(remains)).to.deep.equal([]);
    });

    it('leaves nothing when its supervisor is killed', async () => {
      const cluster = await startCluster();
      const remains = { directory: cluster.directory, processes: cluster.processes() };
      process.kill(remains.processes.supervisor!, 'SIGKILL');
      await nothingLeft(remains);
      await cluster.stop();
    });

    for (const signal of ['SIGKILL', 'SIGINT'] as const) {
      it(`leaves nothing when the process that started it ends by ${signal}`, async () => {
        const script = join(import.meta.dirname, 'fixtures', 'cluster-owner.ts');
        const owner = spawn(process.execPath, ['--import', 'tsx', script], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const [line] = (await once(createInterface(owner.stdout), 'line')) as [string];
        const remains = JSON.parse(line) as Remains;
        expect(await leftOf(remains)).to.have.lengthOf(4);
        owner.kill(signal);
        await nothingLeft(remains);
      });
    }

    it('leaves nothing when the start is given up', async () => {
      const giveUp = new AbortController();
      const started = startCluster({ name: 'given-up', signal: giveUp.signal });
      setTimeout(() => giveUp.abort(new Error('changed my mind')), 1_000);
      const error = await started.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(String(error)).to.equal('Error: changed my mind');
      const left = await readdir(tmpdir());
      expect(left.filter((file) => file.includes('cluster-given-up'))).to.deep.equal([]);
    });

    it('says what a component said when it does not come up', async () => {
      const error = await startCluster({ apiServerArguments: ['--no-such-flag'] }).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(String(error)).to.include('kube-apiserver: ended while it started (exit code 1)');
      expect(String(error)).to.include('unknown flag: --no-such-flag');
    });
  });

  describe('to develop against', () => {
    let cache: string;

    before(async () => {
      cache = await mkdtemp(join(tmpdir(), 'stageset-cache-'));
    });

    after(async () => {
      await rm(cache, { recursive: true, force: true });
    });

    async function command(...args: string[]): Promise<RunResult> {
      return run(process.execPath, ['--import', 'tsx', 'dev/cluster.ts', ...args], {
        cwd: join(import.meta.dirname, '..', '..'),
        environment: {
          XDG_CACHE_HOME: cache,
          KUBEBUILDER_ASSETS: await assetsDirectory(() => undefined),
        },
      });
    }

    async function recorded(): Promise<Remains> {
      const file = join(cache, 'stageset-controller', 'clusters', 'manual.json');
      return JSON.parse(await readFile(file, 'utf8')) as Remains;
    }

    it('goes on after `up`, is found by a second `up`, and leaves nothing after `down`', async () => {
      const first = await command('up', '--name', 'manual');
      expect(first.code, first.stderr).to.equal(0);
      const remains = await recorded();
      expect(first.stdout).to.equal(`export KUBECONFIG=${remains.directory}/kubeconfig\n`);
      expect(first.stderr).to.match(/^cluster manual is ready at https:\/\/127\.0\.0\.1:\d+\n$/);
      expect(await leftOf(remains)).to.have.lengthOf(4);

      const second = await command('up', '--name', 'manual');
      expect(second.stdout).to.equal(first.stdout);
      expect(second.stderr).to.include('cluster manual runs already at');

      const down = await command('down', '--name', 'manual');
      expect(down.stderr).to.equal('cluster manual is stopped\n');
      expect(await leftOf(remains)).to.deep.equal([]);
      expect((await command('down', '--name', 'manual')).stderr).to.equal(
        'there is no cluster manual\n',
      );
    });

    it('is cleaned up and started anew by `up` when its supervisor was killed', async () => {
      await command('up', '--name', 'manual');
      const remains = await recorded();
      process.kill(remains.processes.supervisor!, 'SIGKILL');
      const again = await command('up', '--name', 'manual');
      expect(again.stderr).to.include('cluster manual is ready at');
      expect(await leftOf(remains)).to.deep.equal([]);
      await command('down', '--name', 'manual');
    });

    it('has one directory of binaries, printed alone on stdout', async () => {
      const { stdout } = await command('assets');
      expect(stdout).to.equal(`${await assetsDirectory(() => undefined)}\n`);
      expect(await readdir(stdout.trim())).to.include.members([
        'etcd',
        'kube-apiserver',
        'kube-controller-manager',
        'kubectl',
        'kustomize',
      ]);
    });
  });
});
