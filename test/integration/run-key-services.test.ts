import { expect } from 'chai';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { dataKeyOfFile, entry, sealedBy } from '../key-services/sealed-files.ts';
import { json } from '../key-services/service-server.ts';
import { VaultServer, vaultToken } from '../key-services/vault-server.ts';
import { configMap, serviceAccount } from '../objects.ts';
import { removeStageSets, sharedPlayground, showLog } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';

const decryption = { provider: 'sops' };
const password = 'correct horse battery staple';

const database: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'database' },
};

describe('a stage whose files Vault has sealed', () => {
  const lines: string[] = [];
  let vault: VaultServer;
  let dataKey: Uint8Array;
  let controller: ControllerProcess | undefined;

  before('start Vault and a controller that may use it', async () => {
    vault = await VaultServer.start();
    dataKey = await dataKeyOfFile();
    controller = await start();
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') showLog(controller);
    vault.server.reset();
    await removeStageSets(await sharedPlayground());
  });

  after(async () => {
    await controller?.stop();
    await vault.server.stop();
  });

  async function start(...flags: string[]): Promise<ControllerProcess> {
    const playground = await sharedPlayground();
    return await playground.startController({
      flags: ['--log-level=debug', ...flags],
      environment: { VAULT_ADDR: vault.url, VAULT_TOKEN: vaultToken },
      onLog: (line) => lines.push(line),
    });
  }

  async function namespace(): Promise<TestNamespace> {
    return await TestNamespace.create(await sharedPlayground());
  }

  function sealed(address = vault.url): string {
    return sealedBy(
      entry('hc_vault', {
        vault_address: address,
        engine_path: 'transit',
        key_name: 'app',
        created_at: '2026-01-31T12:00:00Z',
        enc: vault.seal(dataKey),
      }),
    );
  }

  it('is applied without any private key', async () => {
    const shop = await namespace();
    await shop.publishFiles('app', 'v1', { 'secret.yaml': sealed() });
    await shop.createStageSet(['app'], { decryption });
    await shop.untilReady('v1');
    const data: unknown = (await shop.find(database))?.['data'];
    expect(data).to.have.property('password', Buffer.from(password).toString('base64'));
    expect(vault.server.asked.map(({ path }) => path)).to.deep.equal(['/v1/transit/decrypt/app']);
    const told = `${lines.join('\n')}${JSON.stringify(await shop.untilStageSet(() => true))}`;
    for (const value of [password, vaultToken, Buffer.from(dataKey).toString('base64')]) {
      expect(told).not.to.include(value);
    }
  });

  it('asks again for what has changed only', async () => {
    const shop = await namespace();
    await shop.publishFiles('app', 'v1', { 'secret.yaml': sealed() });
    await shop.createStageSet(['app'], { decryption });
    await shop.untilReady('v1');
    await shop.request('again');
    await shop.untilStageSet(({ status }) => status?.lastHandledReconcileAt === 'again');
    expect(vault.server.asked).to.have.length(1);
  });

  it('fails when Vault refuses, and says no more than that', async () => {
    vault.server.trouble = () => json(403, { errors: ['1 error occurred: permission denied'] });
    const shop = await namespace();
    await shop.publishFiles('app', 'v1', { 'secret.yaml': sealed() });
    await shop.createStageSet(['app'], { decryption });
    const message = await shop.untilReason('StageFailed');
    expect(message).to.include('Stage app: decrypt: decryption failed: data key of secret.yaml');
    expect(message).not.to.match(/vault|permission|127\.0\.0\.1/i);
    const line = lines.find((each) => each.includes(shop.name) && each.includes('stage failed'));
    expect(line).to.include('Vault answered 403: 1 error occurred: permission denied');
    expect(line).to.include('"terminal":true');
  });

  it('goes on by itself once Vault is there again', async () => {
    vault.server.trouble = () => json(503, { errors: ['Vault is sealed'] });
    const shop = await namespace();
    await shop.publishFiles('app', 'v1', { 'secret.yaml': sealed() });
    await shop.createStageSet(['app'], { decryption });
    const message = await shop.untilReason('StageFailed');
    expect(message).to.include('decryption failed: data key of secret.yaml');
    vault.server.trouble = undefined;
    await shop.untilReady('v1');
  });

  it('takes nothing to a Vault that only the file knows', async () => {
    const other = await VaultServer.start();
    const shop = await namespace();
    await shop.publishFiles('app', 'v1', { 'secret.yaml': sealed(other.url) });
    await shop.createStageSet(['app'], { decryption });
    await shop.untilReason('StageFailed');
    expect([...other.server.asked, ...vault.server.asked]).to.deep.equal([]);
    await other.server.stop();
  });

  it('holds up nobody else while Vault is silent', async () => {
    vault.server.trouble = () => 'Silence';
    const [stuck, other] = [await namespace(), await namespace()];
    await stuck.publishFiles('app', 'v1', { 'secret.yaml': sealed() });
    await stuck.createStageSet(['app'], { decryption });
    await other.publish('app', 'v1', [configMap('web')]);
    await other.createStageSet(['app']);
    await other.untilReady('v1');
    expect(await stuck.untilReason('StageFailed')).to.include('decryption failed');
  });

  describe('with --object-level-kms', () => {
    before(async () => {
      await controller?.stop();
      controller = await start('--object-level-kms');
    });

    it('is not opened by the controller for a StageSet with a ServiceAccount', async () => {
      const shop = await namespace();
      await shop.create(serviceAccount('deployer'));
      await shop.publishFiles('app', 'v1', { 'secret.yaml': sealed() });
      await shop.createStageSet(['app'], { decryption, serviceAccountName: 'deployer' });
      expect(await shop.untilReason('StageFailed')).to.include('decryption failed');
      expect(vault.server.asked).to.deep.equal([]);
      const line = lines.find((each) => each.includes(shop.name) && each.includes('stage failed'));
      expect(line).to.include('Vault is asked as the controller only');
    });

    it('does not reach for what the controller has opened already', async () => {
      const [own, tenant] = [await namespace(), await namespace()];
      const files = { 'secret.yaml': sealed() };
      for (const shop of [own, tenant]) await shop.publishFiles('app', 'v1', files);
      await own.createStageSet(['app'], { decryption });
      await own.untilReady('v1');
      await tenant.create(serviceAccount('deployer'));
      await tenant.createStageSet(['app'], { decryption, serviceAccountName: 'deployer' });
      expect(await tenant.untilReason('StageFailed')).to.include('decryption failed');
    });
  });
});
