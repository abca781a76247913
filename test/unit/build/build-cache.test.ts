import { expect } from 'chai';
import type { BuildResult } from '../../../src/build/build.ts';
import { BuildCache, type BuildInputs } from '../../../src/build/build-cache.ts';
import { Builder } from '../../../src/build/builder.ts';
import { configMap, filesOf } from './artifact.ts';

const { signal } = new AbortController();

const inputs: BuildInputs = {
  artifact: { url: 'http://source/a.tar.gz', digest: 'sha256:a' },
  path: 'app',
  patches: [{ patch: 'x' }],
  variables: new Map([['a', 'b']]),
};

const result = (bytes: number): BuildResult => ({
  objects: [],
  warnings: [],
  secrets: [],
  bytes,
});

/** How often each build is asked for, in a cache of its own. */
class Builds {
  readonly #cache = new BuildCache();
  count = 0;

  async get(wanted: BuildInputs, bytes = 100): Promise<void> {
    const build = async (): Promise<BuildResult> => {
      this.count += 1;
      await Promise.resolve();
      return result(bytes);
    };
    await this.#cache.get(wanted, build, signal);
  }
}

describe('the cache of builds', () => {
  it('builds the same thing once', async () => {
    const builds = new Builds();
    await builds.get(inputs);
    await builds.get({ ...inputs, variables: new Map([['a', 'b']]), patches: [{ patch: 'x' }] });
    expect(builds.count).to.equal(1);
  });

  it('lets those who want the same at the same time share one build', async () => {
    const builds = new Builds();
    await Promise.all([builds.get(inputs), builds.get(inputs), builds.get(inputs)]);
    expect(builds.count).to.equal(1);
  });

  for (const [what, other] of Object.entries<Partial<BuildInputs>>({
    'digest of the artifact': { artifact: { ...inputs.artifact, digest: 'sha256:b' } },
    'URL of the artifact': { artifact: { ...inputs.artifact, url: 'http://other/a.tar.gz' } },
    path: { path: 'other' },
    patch: { patches: [{ patch: 'y' }] },
    'target of a patch': { patches: [{ patch: 'x', target: { name: 'a' } }] },
    'number of patches': { patches: [] },
    'value of a variable': { variables: new Map([['a', 'c']]) },
    'name of a variable': { variables: new Map([['c', 'b']]) },
    'number of variables': { variables: new Map() },
    'set of keys': { keys: new Map() },
    key: { keys: new Map([['a.agekey', Buffer.from('a')]]) },
  })) {
    it(`builds again for another ${what}`, async () => {
      const builds = new Builds();
      await builds.get(inputs);
      await builds.get({ ...inputs, ...other });
      expect(builds.count).to.equal(2);
    });
  }

  it('does not keep what is larger than all that it may hold', async () => {
    const builds = new Builds();
    await builds.get(inputs, 65 * 1024 * 1024);
    await builds.get(inputs, 65 * 1024 * 1024);
    expect(builds.count).to.equal(2);
  });

  it('drops what was used longest ago when it is full', async () => {
    const builds = new Builds();
    const large = 30 * 1024 * 1024;
    for (const path of ['one', 'two', 'one', 'three']) await builds.get({ ...inputs, path }, large);
    expect(builds.count).to.equal(3);
    await builds.get({ ...inputs, path: 'one' }, large);
    expect(builds.count).to.equal(3);
    await builds.get({ ...inputs, path: 'two' }, large);
    expect(builds.count).to.equal(4);
  });

  it('does not remember failures', async () => {
    const cache = new BuildCache();
    const failing = cache.get(inputs, () => Promise.reject(new Error('no disk')), signal);
    expect(await failing.catch((error: unknown) => String(error))).to.equal('Error: no disk');
    expect(await cache.get(inputs, () => Promise.resolve(result(7)), signal)).to.include({
      bytes: 7,
    });
  });

  it('holds objects that nobody can change', async () => {
    const builder = new Builder();
    const small = filesOf({ 'a.yaml': configMap('a') });
    const large = filesOf({ 'a.yaml': `${configMap('a')}# ${'x'.repeat(5000)}` });
    for (const files of [small, large]) {
      const { objects, bytes } = await builder.build(files, { signal });
      expect(objects).to.be.frozen;
      expect(objects[0]).to.be.frozen;
      expect(objects[0]?.metadata).to.be.frozen;
      expect(objects[0]?.['data']).to.be.frozen;
      expect(bytes).to.be.within(200, 2000);
    }
    await builder.close();
  });
});
