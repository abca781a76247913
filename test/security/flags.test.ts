import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { run } from '../../dev/process/run.ts';
import { kubeconfigOf } from '../kubeconfigs.ts';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

describe('a flag that keeps tenants apart, with a value that it cannot have', () => {
  for (const flag of [
    '--watch-namespaces=shop,Not_A_Name',
    '--no-cross-namespace-refs=perhaps',
    '--default-service-account=kube-system/admin',
    '--no-cross-namespace-ref',
  ]) {
    it(`ends the controller with 2 before it contacts a cluster: ${flag} (part B 8.1)`, async () => {
      const directory = await mkdtemp(join(tmpdir(), 'stageset-flags-'));
      let contacts = 0;
      const server = createServer((socket) => {
        contacts += 1;
        socket.destroy();
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      try {
        const kubeconfig = join(directory, 'kubeconfig');
        const cluster = { server: `https://127.0.0.1:${port}` };
        await writeFile(kubeconfig, kubeconfigOf({ cluster }));
        const args = [main, `--kubeconfig=${kubeconfig}`, flag];
        const { code, stderr } = await run(process.execPath, args);
        expect(code, stderr).to.equal(2);
        expect(stderr).to.include(flag.split('=')[0]);
        expect(contacts).to.equal(0);
      } finally {
        server.close();
        await rm(directory, { recursive: true });
      }
    });
  }
});
