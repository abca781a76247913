import { expect } from 'chai';
import { Builder } from '../../../src/build/builder.ts';
import { canonicalJson } from '../../../src/core/canonical-json.ts';
import { kustomizeBinary } from '../../kustomize.ts';
import { filesOf } from './artifact.ts';
import { examples } from './fixtures/kustomizations.ts';
import { expectedOf } from './oracle.ts';

describe('a kustomization is built as kustomize builds it', () => {
  let builder: Builder;
  let compared = 0;
  const { signal } = new AbortController();

  before(async () => {
    builder = new Builder({ kustomizeBinary: await kustomizeBinary() });
  });
  after(async () => {
    await builder.close();
    process.stdout.write(`      ${compared} kustomizations compared\n`);
  });

  for (const [what, example] of Object.entries(examples)) {
    it(`with ${what}`, async () => {
      const { objects } = await builder.build(filesOf(example.files), {
        path: example.path,
        patches: example.patches ?? [],
        variables: new Map(Object.entries(example.variables ?? {})),
        signal,
      });
      const built = objects.map((object) => canonicalJson(object)).sort();
      expect(built).not.to.deep.equal([]);
      expect(built).to.deep.equal(await expectedOf(example));
      compared += 1;
    });
  }

  it('in at least forty ways', () => {
    expect(Object.keys(examples).length).to.be.at.least(40);
  });
});
