import { monitorEventLoopDelay } from 'node:perf_hooks';
import { expect } from 'chai';
import { packFiles } from '../../../dev/artifacts/pack.ts';
import { ArtifactServer } from '../../../dev/artifacts/server.ts';
import { Builder } from '../../../src/build/builder.ts';
import { ArtifactFetcher } from '../../../src/sources/fetch.ts';
import { kustomizeBinary } from '../../kustomize.ts';
import { deployment } from './fixtures/manifests.ts';

const count = 10_000;
const manifests = Array.from({ length: count }, (_, index) =>
  deployment(`web-${index}`).replace('web:1.0', 'web:${tag:-1.0}'),
);

/** Ten thousand Deployments, as people keep them: all in one file, or each in one of its own. */
const artifacts: Record<string, Record<string, string>> = {
  'one file': { 'all.yaml': manifests.join('---\n') },
  'a file for each': Object.fromEntries(
    manifests.map((text, index) => [`${index % 100}/${index}.yaml`, text]),
  ),
};

describe('an artifact of ten thousand objects', () => {
  let builder: Builder;
  let server: ArtifactServer;
  const { signal } = new AbortController();

  before(async () => {
    builder = new Builder({ kustomizeBinary: await kustomizeBinary() });
    server = await ArtifactServer.start();
  });
  after(async () => {
    await builder.close();
    await server.stop();
  });

  for (const [what, files] of Object.entries(artifacts)) {
    it(`in ${what} is fetched, unpacked and built beside everything else`, async () => {
      const packed = await packFiles(files);
      const url = server.serve(`/${packed.digest}.tar.gz`, packed);
      const fetcher = new ArtifactFetcher({
        allowedHosts: [{ host: '127.0.0.1', port: undefined }],
      });
      const patch = {
        patch: '[{"op":"remove","path":"/spec/replicas"}]',
        target: { name: 'web-1' },
      };
      const delay = monitorEventLoopDelay({ resolution: 5 });
      const started = performance.now();
      delay.enable();
      const fetched = await fetcher.fetch({ url, digest: packed.digest }, signal);
      const variables = new Map([['tag', '2.0']]);
      const built = await builder.build(fetched, { patches: [patch], variables, signal });
      delay.disable();
      const seconds = (performance.now() - started) / 1000;
      await fetcher.close();
      const p99 = delay.percentile(99) / 1e6;
      process.stdout.write(`        ${seconds.toFixed(1)} s, p99 ${p99.toFixed(1)} ms\n`);
      expect(built.objects).to.have.length(count);
      // The estimate that bounds the cache: a few kilobytes for each.
      expect(built.bytes / count).to.be.within(1000, 10_000);
      expect(p99).to.be.below(50);
    });
  }
});
