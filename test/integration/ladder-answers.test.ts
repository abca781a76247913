import { expect } from 'chai';
import { packBytes } from '../../dev/artifacts/pack.ts';
import { type Publication, publish } from '../../dev/artifacts/publish.ts';
import type { VersionAnswersOptions } from '../../src/controller/version-answers.ts';
import type { VersionAnswer } from '../../src/core/version/version-asks.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import type { SourceReference } from '../../src/types/stages.ts';
import { ladderFile as file, fluxGroup, migration, sourceRules } from '../ladder-files.ts';
import { configMap, serviceAccount } from '../objects.ts';
import { grantAndSee } from '../rbac.ts';
import { archive } from '../security/archives.ts';
import type { TestNamespace } from '../test-namespace.ts';
import { noon, stageSetIn, useVersionAnswers } from '../version-stand.ts';

const http = [{ name: 'call', http: { url: 'https://hooks.example.com' } }];

type Rules = Partial<Pick<VersionAnswersOptions, 'migrationSources' | 'allowedActionHosts'>>;

describe('migrations from a source', () => {
  const stand = useVersionAnswers();
  let shop: TestNamespace;

  beforeEach(async () => {
    shop = await tenant();
    await grantAndSee(shop, { namespace: shop.name, name: 'deployer' }, sourceRules);
  });

  async function tenant(): Promise<TestNamespace> {
    const created = await stand.namespace();
    await created.create(serviceAccount('deployer'));
    return created;
  }

  async function ask(
    sourceRef: SourceReference,
    { path, rules, from = shop }: { path?: string; rules?: Rules; from?: TestNamespace } = {},
  ): Promise<VersionAnswer> {
    const source = { sourceRef, ...(path === undefined ? {} : { path }) };
    return await stand.answer({ kind: 'Ladder', source }, stageSetIn(from, ['app']), rules);
  }

  /** Names of the migrations of an answer, or its reason or kind. */
  async function namesOf(...asked: Parameters<typeof ask>): Promise<readonly string[] | string> {
    const answer = await ask(...asked);
    if (answer.kind === 'Ladder') return answer.migrations.map(({ name }) => name);
    return answer.kind === 'Refused' ? answer.reason : answer.kind;
  }

  async function refusalOf(reason: string, ...asked: Parameters<typeof ask>): Promise<string> {
    const answer = await ask(...asked);
    expect(answer).to.include({ kind: 'Refused', reason, at: noon });
    return answer.kind === 'Refused' ? answer.message : '';
  }

  /** Publishes migrations as a source of this kind, with what its spec and its conditions say. */
  async function publishAs(
    kind: NonNullable<Publication['kind']>,
    { spec, verified, ready }: { spec?: unknown; verified?: string; ready?: 'False' } = {},
  ): Promise<SourceReference> {
    const name = 'ladder';
    const publication = { kind, ...(ready === undefined ? {} : { ready }) };
    await shop.publishFiles(name, 'v1', file(migration('one', '2.0.0')), publication);
    const source: KubernetesObject = {
      apiVersion: `${fluxGroup}/v1`,
      kind,
      metadata: { name },
    };
    if (spec !== undefined) await shop.patch(source, { spec });
    if (verified !== undefined) await addCondition(source, 'SourceVerified', verified);
    return { kind, name };
  }

  async function addCondition(
    { apiVersion, kind, metadata }: KubernetesObject,
    type: string,
    status: string,
  ): Promise<void> {
    const reference = { apiVersion, kind, name: metadata.name, namespace: shop.name };
    const lastTransitionTime = new Date().toISOString();
    const condition = { type, status, reason: 'Test', message: 'as told', lastTransitionTime };
    const body = [{ op: 'add', path: '/status/conditions/-', value: condition }];
    await shop.client.patch(reference, { type: 'Json', body, subresource: 'status' }, shop.call);
  }

  describe('are found by their source', () => {
    it('with its revision and digest', async () => {
      const one = migration('one', '2.0.0');
      await shop.publishFiles('ladder', 'v1', file(one));
      const answer = await ask({ name: 'ladder' });
      expect(answer).to.deep.include({
        kind: 'Ladder',
        revision: 'v1',
        migrations: [one],
        at: noon,
      });
      expect(answer)
        .to.have.property('digest')
        .that.matches(/^sha256:[0-9a-f]{64}$/);
      expect(answer).not.to.have.property('mutable');
    });

    it('and may be there the next time while it is missing or not ready', async () => {
      const missing = await ask({ name: 'ladder' });
      expect(missing).to.deep.equal({
        kind: 'Unreadable',
        message: `ExternalArtifact ${shop.name}/ladder does not exist`,
        at: noon,
      });
      await shop.publishFiles('ladder', 'v1', file(migration('one', '2.0.0')), { ready: 'False' });
      const unready = await ask({ name: 'ladder' });
      expect(unready).to.include({ kind: 'Unreadable' });
      expect(unready).to.have.property('message').that.includes('is not ready');
    });

    it('which its producer has made, but not where that has made two', async () => {
      const producer = { apiVersion: 'build.example.com/v1', kind: 'Recipe', name: 'cake' };
      expect(await namesOf(producer)).to.equal('Unreadable');
      const produced = async (name: string): Promise<void> => {
        await shop.publishFiles(name, 'v1', file(migration(name, '2.0.0')));
        const artifact = { apiVersion: `${fluxGroup}/v1`, kind: 'ExternalArtifact' };
        await shop.patch({ ...artifact, metadata: { name } }, { spec: { sourceRef: producer } });
      };
      await produced('cake-1');
      expect(await namesOf(producer)).to.deep.equal(['cake-1']);
      await produced('cake-2');
      expect(await refusalOf('ResolveFailed', producer)).to.include('cake-1, cake-2');
      expect(await refusalOf('InvalidSpec', { kind: 'Recipe', name: 'cake' })).to.include(
        'has no apiVersion',
      );
    });

    it('which the account of the StageSet must be allowed to read', async () => {
      const other = await tenant();
      await other.publishFiles('ladder', 'v1', file(migration('one', '2.0.0')));
      const denied = await refusalOf('RBACDenied', { name: 'ladder' }, { from: other });
      expect(denied).to.include(`system:serviceaccount:${other.name}:deployer`);
      // What another tenant may do does not count.
      await grantAndSee(other, { namespace: shop.name, name: 'deployer' }, sourceRules, 'others');
      await refusalOf('RBACDenied', { name: 'ladder' }, { from: other });
      await grantAndSee(other, { namespace: other.name, name: 'deployer' }, sourceRules);
      expect(await namesOf({ name: 'ladder' }, { from: other })).to.deep.equal(['one']);
    });

    it('which must be of a kind that the cluster knows', async () => {
      const unknown = { apiVersion: `${fluxGroup}/v9`, kind: 'GitRepository', name: 'ladder' };
      await refusalOf('RBACDenied', unknown);
    });

    it('and never in another namespace, whatever may be read there', async () => {
      const other = await tenant();
      await other.publishFiles('ladder', 'v1', file(migration('one', '2.0.0')));
      await grantAndSee(other, { namespace: shop.name, name: 'deployer' }, sourceRules);
      const foreign = { name: 'ladder', namespace: other.name };
      const before = stand.playground.artifacts.downloads;
      expect(await refusalOf('InvalidSpec', foreign)).to.include(
        'spec.migrationsSourceRef.sourceRef.namespace',
      );
      expect(stand.playground.artifacts.downloads).to.equal(before);
      expect(await namesOf({ name: 'ladder', namespace: shop.name })).to.equal('Unreadable');
    });
  });

  describe('are taken', () => {
    const strict = (verified: 'Required' | 'Optional', pinned: 'Required' | 'Optional'): Rules => ({
      migrationSources: { verified, pinned },
    });

    it('never with a signature that is wrong, whether the source is ready or not', async () => {
      const wrong = await publishAs('ExternalArtifact', { verified: 'False' });
      await refusalOf('MigrationSourceNotVerified', wrong);
      const unready = await publishAs('OCIRepository', { verified: 'False', ready: 'False' });
      await refusalOf('MigrationSourceNotVerified', unready);
    });

    it('without a signature unless the installation asks for one', async () => {
      const unsigned = await publishAs('ExternalArtifact');
      expect(await namesOf(unsigned)).to.deep.equal(['one']);
      const rules = strict('Required', 'Optional');
      expect(await refusalOf('MigrationSourceNotVerified', unsigned, { rules })).to.include(
        '--require-verified-migration-sources',
      );
      const unready = await publishAs('Bucket', { ready: 'False' });
      expect(await namesOf(unready, { rules }), 'not looked at yet').to.equal('Unreadable');
      const signed = await publishAs('GitRepository', { verified: 'True' });
      expect(await namesOf(signed, { rules })).to.deep.equal(['one']);
    });

    it('from a source that can be moved with a warning, or not at all', async () => {
      const rules = strict('Optional', 'Required');
      const cases = [
        ['ExternalArtifact', {}, 'Fixed'],
        ['Bucket', {}, 'Movable'],
        ['GitRepository', { ref: { branch: 'main' } }, 'Movable'],
        ['GitRepository', { ref: { commit: 'a'.repeat(40) } }, 'Fixed'],
        ['OCIRepository', { ref: { tag: 'latest' } }, 'Movable'],
        ['OCIRepository', { ref: { digest: `sha256:${'a'.repeat(64)}` } }, 'Fixed'],
      ] as const;
      for (const [kind, spec, fixed] of cases) {
        const source = await publishAs(kind, { spec });
        const what = `${kind} ${JSON.stringify(spec)}`;
        const answer = await ask(source);
        expect(answer.kind, what).to.equal('Ladder');
        expect('mutable' in answer, what).to.equal(fixed === 'Movable');
        const demanded = await namesOf(source, { rules });
        expect(demanded, what).to.deep.equal(
          fixed === 'Fixed' ? ['one'] : 'MigrationSourceNotPinned',
        );
      }
    });

    it('with http actions only where hosts are allowed, also on the way down (edge case 10, part B 13)', async () => {
      const rules = { allowedActionHosts: ['hooks.example.com'] };
      await shop.publishFiles('up', 'v1', file(migration('up', '2.0.0', { actions: http })));
      await shop.publishFiles('down', 'v1', file(migration('down', '2.0.0', { down: http })));
      for (const name of ['up', 'down']) {
        expect(await refusalOf('InvalidSpec', { name })).to.include('--allowed-action-hosts');
        expect(await namesOf({ name }, { rules })).to.deep.equal([name]);
      }
    });
  });

  describe('are read', () => {
    const invalid = 'MigrationArtifactInvalid';

    it('from every YAML and JSON file below the path, in the order of their paths', async () => {
      await shop.publishFiles('ladder', 'v1', {
        'ladder/b.json': JSON.stringify([migration('b1', '2.0.0'), migration('b2', '2.1.0')]),
        'ladder/a/z.yml': JSON.stringify(migration('az', '1.5.0')),
        'ladder/notes.txt': 'no migration: [',
        'ladder/c.yaml': 'name: c\nto: 3.0.0\n',
        'ladder-of-others/d.yaml': 'name: d\nto: 4.0.0\n',
        'e.yaml': 'name: e\nto: 5.0.0\n',
      });
      const source = { name: 'ladder' };
      expect(await namesOf(source, { path: 'ladder' })).to.deep.equal(['az', 'b1', 'b2', 'c']);
      expect(await namesOf(source, { path: './ladder/' })).to.deep.equal(['az', 'b1', 'b2', 'c']);
      expect(await namesOf(source)).to.deep.equal(['e', 'd', 'az', 'b1', 'b2', 'c']);
      expect(await refusalOf(invalid, source, { path: 'elsewhere' })).to.include('no .yaml');
      expect(await refusalOf(invalid, source, { path: '../ladder' })).to.include('no .yaml');
    });

    it('from several documents of a file only where all of them are right (gap: part B 2.7)', async () => {
      const documents = (second: string): Record<string, string> => ({
        'ladder.yaml': `name: one\nto: 2.0.0\n---\n${second}\n`,
      });
      await shop.publishFiles('right', 'v1', documents('name: two\nto: 3.0.0'));
      await shop.publishFiles('wrong', 'v1', documents('name: two\nto: third'));
      expect(await namesOf({ name: 'right' })).to.deep.equal(['one', 'two']);
      expect(await refusalOf(invalid, { name: 'wrong' })).to.include('ladder.yaml:4.to');
    });

    it('with an error that is of the shape that was written (gap: part B 2.7)', async () => {
      await shop.publishFiles('list', 'v1', file({ name: 'one', to: '2.0.0', form: '>1' }));
      await shop.publishFiles('single', 'v1', { 'one.yaml': 'name: one\nto: 2.0.0\nform: ">1"\n' });
      expect(await refusalOf(invalid, { name: 'list' })).to.include('ladder.yaml:1[0].form');
      expect(await refusalOf(invalid, { name: 'single' })).to.include('one.yaml:1.form');
    });

    it('by the rules of inline ones, or refused with the source and the place', async () => {
      const one = migration('one', '2.0.0');
      const bad = {
        empty: file(),
        'no-files': { 'README.md': 'nothing' },
        'not-yaml': { 'ladder.yaml': 'name: [' },
        control: { 'ladder.yaml': '\u0000' },
        text: { 'ladder.yaml': 'just text' },
        twice: file(one, one),
        bare: file({ ...one, from: '1.0.0' }),
        scoped: file({ ...one, actions: [{ name: 'a', wait: {}, scope: 'Version' }] }),
        verbs: file({ ...one, actions: [{ name: 'a', wait: { duration: '1s' }, http: {} }] }),
        many: file(...Array.from({ length: 201 }, (_, at) => migration(`m${at}`, '2.0.0'))),
      };
      for (const [name, files] of Object.entries(bad)) {
        await shop.publishFiles(name, 'v1', files);
        expect(await refusalOf(invalid, { name }), name).to.include(
          `the migrations in ExternalArtifact ${shop.name}/${name} at v1 are wrong: `,
        );
      }
    });

    it('as large as they may be, by a thread and in portions (edge case 11, part B 13)', async () => {
      const actions = Array.from({ length: 100 }, (_, at) => ({
        name: `a${at}`,
        wait: { duration: '1s' },
      }));
      const ladder = Array.from({ length: 200 }, (_, at) => ({
        ...migration(`m${at}`, `2.${at}.0`),
        actions,
        down: actions,
      }));
      await shop.publishFiles('ladder', 'v1', file(...ladder));
      const answer = await ask({ name: 'ladder' });
      expect(answer.kind === 'Ladder' && answer.migrations).to.deep.equal(ladder);
    });

    it('not where aliases make too much of them', async () => {
      const url = `&long "https://hooks.example.com/${'x'.repeat(200_000)}"`;
      const lines = Array.from({ length: 90 }, (_, at) => `- {name: a${at}, http: {url: *long}}`);
      const first = `- {name: first, http: {url: ${url}}}`;
      const text = ['name: one', 'to: 2.0.0', 'actions:', first, ...lines].join('\n');
      await shop.publishFiles('ladder', 'v1', { 'ladder.yaml': text });
      expect(await refusalOf(invalid, { name: 'ladder' })).to.match(/takes \d+ bytes; at most/);
    });
  });

  describe('are fetched', () => {
    const invalid = 'MigrationArtifactInvalid';

    it('once for many StageSets, and the wrong ones as well', async () => {
      await shop.publishFiles('ladder', 'v1', file(migration('one', '2.0.0')));
      await shop.publishFiles('wrong', 'v1', { 'ladder.yaml': 'name: one' });
      const before = stand.playground.artifacts.downloads;
      const many = Array.from({ length: 50 }, async () => await namesOf({ name: 'ladder' }));
      expect(new Set((await Promise.all(many)).flat())).to.deep.equal(new Set(['one']));
      expect(stand.playground.artifacts.downloads - before).to.equal(1);
      for (let each = 0; each < 3; each += 1) await refusalOf(invalid, { name: 'wrong' });
      expect(stand.playground.artifacts.downloads - before).to.equal(2);
      // All have the same, so that nobody may change it.
      const shared = await ask({ name: 'ladder' });
      expect(shared.kind === 'Ladder' && Object.isFrozen(shared.migrations[0])).to.equal(true);
    });

    it('with the content that the source says, or not at all', async () => {
      const digest = `sha256:${'0'.repeat(64)}`;
      await shop.publishFiles('ladder', 'v1', file(migration('one', '2.0.0')), { digest });
      expect(await refusalOf(invalid, { name: 'ladder' })).to.include('nothing of it is used');
    });

    it('from no address that artifacts may not be at', async () => {
      const moved = async (url: string): Promise<SourceReference> => {
        await shop.publishFiles('ladder', 'v1', file(migration('one', '2.0.0')));
        await shop.client.patch(
          {
            apiVersion: `${fluxGroup}/v1`,
            kind: 'ExternalArtifact',
            namespace: shop.name,
            name: 'ladder',
          },
          { type: 'Merge', body: { status: { artifact: { url } } }, subresource: 'status' },
          shop.call,
        );
        return { name: 'ladder' };
      };
      for (const url of [
        'http://169.254.169.254/latest/meta-data',
        'http://localhost:1/a.tar.gz',
      ]) {
        expect(await refusalOf(invalid, await moved(url)), url).to.include('not fetched from');
      }
      const gone = await moved(`http://${stand.playground.artifacts.host}/gone.tar.gz`);
      const answer = await ask(gone);
      expect(answer).to.include({ kind: 'Unreadable' });
      expect(answer).to.have.property('message').that.includes('answered 404');
    });

    it('within the bounds of every artifact (edge case 11, part B 13)', async () => {
      const ladder = { name: 'ladder.yaml', content: 'name: one\nto: 2.0.0\n' };
      const hostile = {
        escape: archive([{ ...ladder, name: '../ladder.yaml' }]),
        link: archive([{ name: 'ladder.yaml', type: '2', linkName: '/etc/passwd' }]),
        twice: archive([ladder, ladder]),
        bomb: archive([ladder, { name: 'b.txt', content: Buffer.alloc(17 * 1024 * 1024) }]),
        binary: archive([{ name: 'ladder.yaml', content: Buffer.from([0xff, 0xfe, 0x00]) }]),
        noise: Buffer.from('no archive at all'),
      };
      for (const [name, bytes] of Object.entries(hostile)) {
        const where = { namespace: shop.name, name, revision: 'v1' };
        await publish(shop.client, stand.playground.artifacts, where, packBytes(bytes));
        await refusalOf(invalid, { name });
      }
    });

    it('while nobody else waits, and given up with the call', async () => {
      stand.playground.artifacts.stall(shop.name);
      await shop.publishFiles('ladder', 'v1', file(migration('one', '2.0.0')));
      const controller = new AbortController();
      const over = new Error('the StageSet is gone');
      const source = { sourceRef: { name: 'ladder' } };
      const answering = stand.answer(
        { kind: 'Ladder', source },
        stageSetIn(shop, ['app']),
        {},
        { signal: controller.signal },
      );
      const other = await tenant();
      await grantAndSee(other, { namespace: other.name, name: 'deployer' }, sourceRules);
      await other.publish('app', 'v1', [configMap('app')]);
      await other.publishFiles('ladder', 'v1', file(migration('two', '2.0.0')));
      expect(await namesOf({ name: 'ladder' }, { from: other })).to.deep.equal(['two']);
      controller.abort(over);
      expect(await answering.catch((error: unknown) => error)).to.equal(over);
    });
  });
});
