import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { isNode, type Node, readResourceContracts } from '../../../dev/generate/contracts.ts';
import { ruleEquivalent } from '../../../src/core/validate/cel-rules.ts';
import { patternsInWords } from '../../../src/core/validate/violations.ts';

interface Place {
  path: string;
  schema: Node;
}

const directory = fileURLToPath(new URL('../../../crds', import.meta.url));

describe('the custom resource definitions', () => {
  let places: Place[];

  before(async () => {
    const resources = await readResourceContracts(directory);
    places = resources.flatMap(({ kind, schema }) => walk(schema, kind));
  });

  it('are those of the specification', async () => {
    const kinds = (await readResourceContracts(directory)).map(({ kind }) => kind);
    expect(kinds).to.include.members([
      'FleetRollout',
      'ImageVerificationPolicy',
      'StageInventory',
      'StageLedger',
      'StageRun',
      'StageSet',
    ]);
  });

  it('describe every field and every object, as sentences', () => {
    // The API server refuses a description of metadata and brings its own; a bare text has none.
    const bare = places.filter(
      ({ path, schema }) =>
        !/^[^.]*\.metadata$/.test(path) &&
        !(path.endsWith('[]') && schema['type'] === 'string') &&
        !(path.endsWith('{}') && schema['type'] === 'string'),
    );
    const undescribed = bare.filter(({ schema }) => !/^[A-Z`].*\.$/s.test(text(schema)));
    expect(undescribed.map(({ path }) => path)).to.deep.equal([]);
  });

  it('stay small enough for a client-side kubectl apply, which keeps a copy in an annotation', async () => {
    const sizes = (await readResourceContracts(directory)).map(
      ({ schema }) => JSON.stringify(schema).length,
    );
    expect(Math.max(...sizes)).to.be.below(200_000);
  });

  it('have exactly these defaults in their schemas', () => {
    const defaults = places
      .filter(({ schema }) => 'default' in schema)
      .map(({ path, schema }) => `${path}=${JSON.stringify(schema['default'])}`)
      .filter((line) => !line.includes('.sourceRef.kind='));
    expect(defaults).to.deep.equal([
      'FleetRollout.spec.onRegression="Halt"',
      'StageSet.spec.errorBudget.onSourceError="Allow"',
      'StageSet.spec.stages[].conflictPolicy.default="Fail"',
      'StageSet.spec.stages[].errorBudget.onSourceError="Allow"',
      'StageSet.spec.stages[].promotion.analysis.failureLimit=0',
      'StageSet.spec.stages[].promotion.analysis.onFailure="Hold"',
      'StageSet.spec.stages[].promotion.analysis.onSourceError="Hold"',
      'StageSet.spec.stages[].promotion.eventGate.checks[].maxEvents=0',
      'StageSet.spec.stages[].promotion.eventGate.onFailure="Hold"',
      'StageSet.spec.stages[].promotion.restartGate.checks[].maxRestarts=0',
      'StageSet.spec.stages[].promotion.restartGate.onFailure="Hold"',
    ]);
  });

  it('take a source for an ExternalArtifact unless it says otherwise, and never guess its API version', () => {
    // A StageRun records what a source was, and defaults nothing.
    const references = places.filter(
      ({ path }) => path.endsWith('.sourceRef') && !path.startsWith('StageRun.'),
    );
    expect(references).to.have.length(14);
    for (const { schema } of references) {
      expect(property(schema, 'kind')['default']).to.equal('ExternalArtifact');
      expect(property(schema, 'apiVersion')).to.not.have.property('default');
    }
  });

  it('say the same wherever an action stands', () => {
    const lists = ['pre', 'post', 'onFailure', 'onRollback', 'migrations[].actions', 'down'];
    const copies = places.filter(({ path }) =>
      lists.some((list) => path.startsWith('StageSet.spec') && path.endsWith(`${list}[]`)),
    );
    expect(copies).to.have.length(6);
    expectEqualSchemas(copies);
  });

  for (const [part, count] of [
    ['conditions[]', 3],
    ['errorBudget', 2],
    ['budgetFreeze', 2],
    ['threshold', 2],
    ['prometheus', 4],
  ] as const) {
    it(`say the same wherever ${part} stands`, () => {
      const copies = places.filter(
        ({ path }) =>
          path.endsWith(`.${part}`) && !path.startsWith('FleetRollout.spec.waves[].gate.source'),
      );
      expect(copies).to.have.length(count);
      expectEqualSchemas(copies);
    });
  }

  it('have words for every pattern, so that a refusal can be read', () => {
    const patterns = new Set(places.flatMap(({ schema }) => strings(schema['pattern'])));
    expect([...patterns].filter((pattern) => !patternsInWords.has(pattern))).to.deep.equal([]);
  });

  it('have an equivalent for every CEL rule', () => {
    const rules = places.flatMap(({ schema }) => nodes(schema['x-kubernetes-validations']));
    expect(rules).to.have.length(4);
    for (const { rule } of rules) expect(() => ruleEquivalent(String(rule))).to.not.throw();
  });
});

/** Equal but for the description of the place itself, which says what it is there for. */
function expectEqualSchemas(copies: Place[]): void {
  const [first, ...others] = copies.map(({ schema }) => ({ ...schema, description: '' }));
  for (const other of others) expect(other).to.deep.equal(first);
}

function walk(schema: Node, path: string): Place[] {
  const { properties, items, additionalProperties } = schema;
  const fields = isNode(properties) ? Object.entries(properties) : [];
  return [
    { path, schema },
    ...fields.flatMap(([name, field]) => (isNode(field) ? walk(field, `${path}.${name}`) : [])),
    ...(isNode(items) ? walk(items, `${path}[]`) : []),
    ...(isNode(additionalProperties) ? walk(additionalProperties, `${path}{}`) : []),
  ];
}

function property(schema: Node, name: string): Node {
  const { properties } = schema;
  const field = isNode(properties) ? properties[name] : undefined;
  return isNode(field) ? field : {};
}

function text(schema: Node): string {
  return strings(schema['description']).join('');
}

function strings(value: unknown): string[] {
  return typeof value === 'string' ? [value] : [];
}

function nodes(value: unknown): Node[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}
