import { expect } from 'chai';
import { Builder } from '../../src/build/builder.ts';
import { TerminalError } from '../../src/core/errors.ts';
import { milliseconds } from '../../src/core/time.ts';
import { kustomizeBinary } from '../kustomize.ts';
import { fixtureKeys, sealedText } from '../sops/fixtures.ts';
import { configMap, failureOf, filesOf } from '../unit/build/artifact.ts';

/** Most milliseconds for an artifact that is refused, on a machine with other work. */
const soon = 15_000;

describe('hostile manifests', () => {
  let builder: Builder;
  const { signal } = new AbortController();

  before(async () => {
    builder = new Builder({ kustomizeBinary: await kustomizeBinary() });
  });
  after(async () => {
    await builder.close();
  });

  async function refusal(
    files: Record<string, string>,
    order: Partial<Parameters<Builder['build']>[1]> = {},
  ): Promise<string> {
    const begun = performance.now();
    const failure = await failureOf(builder.build(filesOf(files), { signal, ...order }));
    expect(failure).to.be.instanceOf(TerminalError).and.to.include({ reason: 'StageFailed' });
    expect(performance.now() - begun, 'milliseconds').to.be.below(soon);
    return failure.message;
  }

  describe('attack 106: a file of documents without end (100,000 are the most, part A 3.3)', () => {
    const empty = '---\n'.repeat(3_000_000);
    const said = /^a\.yaml:100001:1: is behind 100000 other documents; split the file$/;

    it('is refused where they are empty', async () => {
      expect(await refusal({ 'a.yaml': empty })).to.match(said);
    });

    it('is refused beside a good manifest', async () => {
      expect(await refusal({ 'b.yaml': configMap('b'), 'a.yaml': empty })).to.match(said);
    });

    it('is refused behind a sealed one', async () => {
      const text = `${sealedText('yaml: a Secret')}${empty}`;
      expect(await refusal({ 'a.yaml': text }, { keys: fixtureKeys })).to.equal(
        'decryption failed: format of a.yaml',
      );
    });

    it('is read where it has as many as a release may need', async () => {
      const many = Array.from({ length: 3000 }, (_, at) => configMap(`a-${at}`)).join('---\n');
      const { objects } = await builder.build(filesOf({ 'a.yaml': many }), { signal });
      expect(objects.length).to.equal(3000);
    });
  });

  it('attack 107: aliases that grow a little in each of many documents (they are bounded for the file, part A 3.3)', async () => {
    const levels = [1, 2, 3, 4].map(
      (level) =>
        `  a${level}: &a${level} [${Array(10)
          .fill(`*a${level - 1}`)
          .join(', ')}]\n`,
    );
    const document = (at: number): string =>
      `${configMap(`a-${at}`)}x:\n  a0: &a0 [x, x, x, x, x]\n${levels.join('')}`;
    const text = Array.from({ length: 5000 }, (_, at) => document(at)).join('---\n');
    expect(await refusal({ 'a.yaml': text })).to.match(
      /^a\.yaml:\d+:\d+: its aliases stand for more than 100000 values$/,
    );
  });

  it('attack 35: a pattern of a patch that takes for ever (it is matched in linear time, part A 4.4)', async () => {
    const name = 'a'.repeat(60);
    for (const pattern of [
      '(a+)+$',
      '(a|aa)+$',
      '(.*.*.*.*)*b',
      '.*.*.*.*.*.*.*.*b',
      'a*'.repeat(40),
    ]) {
      const begun = performance.now();
      const files = filesOf({ 'a.yaml': configMap(name), 'b.yaml': configMap('b') });
      const patch = '[{"op": "add", "path": "/data/c", "value": "d"}]';
      const patches = [{ patch, target: { kind: 'ConfigMap', name: pattern } }];
      const { objects } = await builder.build(files, { signal, patches });
      expect(objects.length).to.equal(2);
      expect(performance.now() - begun, pattern).to.be.below(soon);
    }
  });

  it('attack 108: manifests that take too long to read (reading ends with the bound, part A 4.1)', async () => {
    const impatient = new Builder({
      kustomizeBinary: await kustomizeBinary(),
      timeout: milliseconds(400),
    });
    try {
      const many = Array.from({ length: 20_000 }, (_, at) => configMap(`a-${at}`)).join('---\n');
      const failure = await failureOf(impatient.build(filesOf({ 'a.yaml': many }), { signal }));
      expect(failure).to.be.instanceOf(TerminalError);
      expect(failure.message).to.match(/its manifests took longer than 0\.4 s to read; split it$/);
    } finally {
      await impatient.close();
    }
  });
});
