import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Cluster, startCluster } from '../../dev/cluster/cluster.ts';
import { isNode, type Node, readResourceContracts } from '../../dev/generate/contracts.ts';
import {
  type Parsed,
  parseFleetRollout,
  parseImageVerificationPolicy,
  parseStageInventory,
  parseStageLedger,
  parseStageSet,
} from '../../src/core/validate/schema.ts';
import { cases } from './crd-cases.ts';

const directory = fileURLToPath(new URL('../../crds', import.meta.url));

const parsers = new Map<unknown, typeof parse>([
  ['StageSet', parseStageSet],
  ['StageInventory', parseStageInventory],
  ['StageLedger', parseStageLedger],
  ['FleetRollout', parseFleetRollout],
  ['ImageVerificationPolicy', parseImageVerificationPolicy],
]);

describe('the custom resource definitions in a cluster', function () {
  this.timeout(120_000);
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster({ name: 'crds' });
    expect(await outputOf('apply', '-f', directory)).to.include('created');
    await outputOf('wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all');
  });

  after(async () => {
    await cluster.stop();
  });

  /** What kubectl prints when it succeeds; throws with what it complains about otherwise. */
  async function outputOf(...args: string[]): Promise<string> {
    return outputFor(undefined, ...args);
  }

  async function outputFor(input: unknown, ...args: string[]): Promise<string> {
    const text = input === undefined ? undefined : JSON.stringify(input);
    const { code, stdout, stderr } = await cluster.kubectl(args, { input: text });
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  it('can be applied again without a change', async () => {
    const lines = (await outputOf('apply', '-f', directory)).trim().split('\n');
    expect(lines.filter((line) => !line.endsWith(' unchanged'))).to.deep.equal([]);
  });

  it('are structural, and known under their short names', async () => {
    const problems = await outputOf(
      ...['get', 'crd', '-o'],
      'jsonpath={.items[*].status.conditions[?(@.type=="NonStructuralSchema")].message}',
    );
    expect(problems).to.equal('');
    const resources = await outputOf(
      'api-resources',
      '--api-group=stages.metio.wtf',
      '--no-headers',
    );
    const lines = resources
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/).join(' '));
    expect(lines).to.include.members([
      'fleetrollouts fleet stages.metio.wtf/v1 false FleetRollout',
      'imageverificationpolicies ivp stages.metio.wtf/v1 false ImageVerificationPolicy',
      'stageinventories stages.metio.wtf/v1 true StageInventory',
      'stageledgers sledger stages.metio.wtf/v1 true StageLedger',
      'stagesets stages.metio.wtf/v1 true StageSet',
    ]);
  });

  it('teach what promotion is', async () => {
    const lesson = await outputOf('explain', 'stageset.spec.stages.promotion');
    expect(lesson.replaceAll(/\s+/g, ' '))
      .to.include('What must hold, after the stage is applied and healthy')
      .and.to.include('soak <string> How long a healthy stage is watched before it is promoted')
      .and.to.include('stages.metio.wtf/promote=<stage>@<token>');
  });

  it('explain every field', async () => {
    for (const { kind, schema } of await readResourceContracts(directory)) {
      const outline = await outputOf('explain', kind.toLowerCase(), '--recursive');
      expect(fieldsOfOutline(outline)).to.include.members(fieldsOf(schema, '', 'spec'));
      expect(fieldsOfOutline(outline)).to.include.members(fieldsOf(schema, '', 'status'));
    }
  });

  it('show readiness of a StageSet, where a ledger stands, and how far a fleet is', async () => {
    const metadata = { name: 'shop', namespace: 'default' };
    const own = { apiVersion: 'stages.metio.wtf/v1', metadata };
    const spec = { stages: [{ name: 'backend', sourceRef: { name: 'shop' } }] };
    const now = new Date().toISOString();
    const ready = {
      type: 'Ready',
      status: 'False',
      reason: 'Soaking',
      message: 'soaks until noon',
      lastTransitionTime: now,
    };
    const completed = { stage: 'backend', action: 'create-schema', origin: 'Executed' };
    await create({ ...own, kind: 'StageSet', spec }, { conditions: [ready] });
    await create(
      { ...own, kind: 'StageLedger' },
      { completedActions: [{ ...completed, completedAt: now }] },
    );
    await create(
      {
        ...own,
        kind: 'FleetRollout',
        metadata: { name: 'shop' },
        spec: { selector: {}, waves: [{ name: 'canary', selector: {} }], targetVersion: '2.0.0' },
      },
      { phase: 'InProgress', currentWave: 'canary' },
    );
    const entries = [{ id: '_shop__Namespace', v: 'v1' }];
    const labelled = { ...metadata, labels: { 'stages.metio.wtf/stage': 'backend' } };
    await create({ ...own, kind: 'StageInventory', metadata: labelled, spec: { entries } });
    await create({
      ...own,
      kind: 'ImageVerificationPolicy',
      metadata: { name: 'shop' },
      spec: { images: ['ghcr.io/acme/**'] },
    });

    expect(await tableOf('stagesets')).to.match(
      /^NAME\s+READY\s+STATUS\s+AGE\nshop\s+False\s+soaks until noon\s+\d+s\n$/,
    );
    expect(await tableOf('sledger')).to.match(/^NAME\s+AGE\nshop\s+\d+s\n$/);
    expect(await tableOf('sledger', '-o', 'wide')).to.match(
      /^NAME\s+COMPLETED\s+AGE\nshop\s+create-schema\s+\d+s\n$/,
    );
    expect(await tableOf('fleet')).to.match(
      /^NAME\s+TARGET\s+PHASE\s+WAVE\s+AGE\nshop\s+2\.0\.0\s+InProgress\s+canary\s+\d+s\n$/,
    );
    expect(await tableOf('stageinventories')).to.match(
      /^NAME\s+STAGE\s+AGE\nshop\s+backend\s+\d+s\n$/,
    );
    expect(await tableOf('ivp')).to.match(
      /^NAME\s+IMAGES\s+AGE\nshop\s+\["ghcr\.io\/acme\/\*\*"\]\s+\d+s\n$/,
    );
  });

  async function create(object: Node, status?: Node): Promise<void> {
    const created = await outputFor(object, 'create', '-f', '-', '-o', 'name');
    if (status === undefined) return;
    const patch = JSON.stringify({ status });
    await outputOf('patch', created.trim(), '--subresource=status', '--type=merge', '-p', patch);
  }

  async function tableOf(...args: string[]): Promise<string> {
    return outputOf('get', ...args);
  }

  describe('agree with our own validation about', () => {
    for (const { title, object, refused } of cases) {
      const verdict = refused.length === 0 ? 'accepting' : 'refusing';
      it(`${verdict} ${title}`, async () => {
        const answer = await cluster.kubectl(
          ['create', '-f', '-', '--dry-run=server', '--validate=ignore', '-o', 'json'],
          { input: JSON.stringify(object) },
        );
        const own = parse(object, { defaults: 'Apply' });

        if (refused.length === 0) {
          expect(answer.stderr).to.equal('');
          expect(own).to.have.property('ok', true);
          // What the API server would store is what we take it for, less what it does not know.
          const stored: unknown = JSON.parse(answer.stdout);
          expect(own.ok && own.value).to.deep.include({ apiVersion: 'stages.metio.wtf/v1' });
          expect(parse(stored, { unknownFields: 'Report' })).to.have.property('ok', true);
          if (title !== 'fields that nobody knows') {
            expect(own.ok && specOf(own.value)).to.deep.equal(specOf(stored));
          }
          return;
        }
        expect(answer.code).to.not.equal(0);
        const named = own.ok ? [] : [...new Set(own.problems.map(({ path }) => path))];
        for (const field of refused) {
          expect(answer.stderr).to.include(field);
          expect(
            named.some((path) => path.startsWith(field)),
            named.join(),
          ).to.equal(true);
        }
        expect(named).to.have.length(refused.length);
      });
    }
  });

  it('name a field that nobody knows when asked to be strict', async () => {
    const object = {
      apiVersion: 'stages.metio.wtf/v1',
      kind: 'StageSet',
      metadata: { name: 'typo', namespace: 'default' },
      spec: { stages: [{ name: 'backend', sourceref: {}, sourceRef: { name: 'shop' } }] },
    };
    const { stderr } = await cluster.kubectl(
      ['create', '-f', '-', '--dry-run=server', '--validate=strict'],
      { input: JSON.stringify(object) },
    );
    expect(stderr).to.include('unknown field "spec.stages[0].sourceref"');
    const own = parse(object, { unknownFields: 'Report' });
    expect(own.ok ? [] : own.problems.map(({ path }) => path)).to.deep.equal([
      'spec.stages[0].sourceref',
    ]);
  });
});

function parse(
  value: unknown,
  options: { defaults?: 'Apply'; unknownFields?: 'Report' },
): Parsed<object> {
  const parser = isNode(value) ? parsers.get(value['kind']) : undefined;
  if (parser === undefined) throw new Error('no parser for this kind');
  return parser(value, options);
}

function specOf(value: unknown): unknown {
  return isNode(value) ? value['spec'] : undefined;
}

/** Paths of all fields below one field of a schema, such as `spec.stages.name`. */
function fieldsOf(schema: Node, path: string, only?: string): string[] {
  const { properties, items } = schema;
  if (isNode(items)) return fieldsOf(items, path);
  if (!isNode(properties)) return [];
  return Object.entries(properties).flatMap(([name, field]) => {
    if (!isNode(field) || (only !== undefined && name !== only)) return [];
    const here = path === '' ? name : `${path}.${name}`;
    return [here, ...fieldsOf(field, here)];
  });
}

/** The same paths out of `kubectl explain --recursive`, which indents by two blanks a level. */
function fieldsOfOutline(outline: string): string[] {
  const parents: string[] = [];
  return outline.split('\n').flatMap((line) => {
    const [, indent, name] = /^((?: {2})+)([A-Za-z]\w*)\t</.exec(line) ?? [];
    if (indent === undefined || name === undefined) return [];
    const level = indent.length / 2 - 1;
    parents.splice(level, Infinity, name);
    return [parents.join('.')];
  });
}
