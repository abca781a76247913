import { expect } from 'chai';
import { lookAtExpression } from '../../src/actions/look-at-expression.ts';
import { attemptWait } from '../../src/actions/wait.ts';
import { ExpressionEvaluator } from '../../src/apply/expression-evaluator.ts';
import type { ActionLook, Awaited } from '../../src/core/actions/attempt.ts';
import { TerminalError } from '../../src/core/errors.ts';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import type { WaitAction } from '../../src/types/stages.ts';
import { actionContext } from '../action-context.ts';
import { tenantWith } from '../actors.ts';
import { configMap, deployment, toy, toyDefinition } from '../objects.ts';
import { sharedPlayground } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';
import { caught, servedSoon } from './objects.ts';

const rights = [
  { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] },
  { apiGroups: ['apps', 'toys.example.com'], resources: ['*'], verbs: ['get'] },
];

describe('a wait action with an expression', () => {
  let shop: TestNamespace;
  let tenant: KubernetesClient;
  let evaluator: ExpressionEvaluator;

  before(() => {
    evaluator = new ExpressionEvaluator();
  });

  after(async () => {
    await evaluator.close();
  });

  beforeEach(async () => {
    shop = await TestNamespace.create(await sharedPlayground());
    tenant = await tenantWith(shop, rights);
  });

  function begin(wait: WaitAction): Extract<Awaited, { kind: 'Expression' }> {
    const attempt = attemptWait(actionContext(shop, tenant, { name: 'until', wait }), wait);
    if (attempt.kind !== 'Await' || attempt.awaited.kind !== 'Expression') {
      throw new Error(`This waits for no expression: ${JSON.stringify(attempt)}`);
    }
    return attempt.awaited;
  }

  async function evaluate(expression: string, object: KubernetesObject): Promise<boolean> {
    const { signal } = shop.call;
    const result = await evaluator.evaluate(expression, object, shop.name, signal);
    if (result.kind === 'Error') throw new Error(result.message);
    return result.value;
  }

  async function look(
    awaited: Extract<Awaited, { kind: 'Expression' }>,
    call = shop.call,
  ): Promise<ActionLook> {
    const context = actionContext(shop, tenant, { name: 'until' }, { evaluate });
    return await lookAtExpression(context, awaited, call);
  }

  const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };

  it('looks at the target in the namespace of the StageSet, and asks nobody at first', () => {
    expect(begin({ target, expr: 'spec.replicas > 1' })).to.deep.equal({
      kind: 'Expression',
      target: { ...target, namespace: shop.name },
      expression: 'spec.replicas > 1',
    });
  });

  it('is done when the expression is true', async () => {
    await shop.create(deployment('web'));
    const awaited = begin({ target, expr: 'spec.replicas > 1' });
    expect(await look(awaited)).to.deep.equal({
      kind: 'NotYet',
      message: `Deployment/${shop.name}/web: wait.expr is not true yet`,
      awaited,
    });
    await shop.patch(deployment('web'), { spec: { replicas: 2 } });
    expect(await look(awaited)).to.deep.equal({ kind: 'Done' });
  });

  it('is not yet done while there is no such object', async () => {
    const found = await look(begin({ target, expr: 'true' }));
    expect(found).to.include({
      kind: 'NotYet',
      message: `Deployment/${shop.name}/web: does not exist`,
    });
  });

  it('is not yet done while the expression cannot be evaluated, and says why', async () => {
    await shop.create(configMap('settings'));
    const object = { apiVersion: 'v1', kind: 'ConfigMap', name: 'settings' };
    const found = await look(begin({ target: object, expr: 'status.phase == "Ready"' }));
    expect(found).to.have.property('kind', 'NotYet');
    expect(found)
      .to.have.property('message')
      .that.matches(/ConfigMap\/.*\/settings: .*phase/);
  });

  it('is not yet done while the tenant may not read the object, and says so', async () => {
    const secret = { apiVersion: 'v1', kind: 'Secret', name: 'password' };
    const found = await look(begin({ target: secret, expr: 'true' }));
    expect(found).to.have.property('kind', 'NotYet');
    expect(found).to.have.property('message').that.contains('cannot get resource "secrets"');
  });

  it('tells what no message may quote: the values of a Secret that it looks at', async () => {
    const { client } = await sharedPlayground();
    const metadata = { name: 'login' };
    const stringData = { password: 'correct horse' };
    await shop.create({ apiVersion: 'v1', kind: 'Secret', metadata, stringData });
    const told: string[] = [];
    const context = {
      ...actionContext(shop, client, { name: 'until' }, { evaluate }),
      onSecretValue: (value: string) => told.push(value),
    };
    const secret = { apiVersion: 'v1', kind: 'Secret', name: 'login' };
    const awaited = begin({ target: secret, expr: 'has(metadata.labels)' });
    expect(await lookAtExpression(context, awaited, shop.call)).to.have.property('kind', 'NotYet');
    expect(told).to.deep.equal(['correct horse']);
  });

  it('is not yet done while the kind of a target without version is not served', async () => {
    const wait = { target: { kind: 'Lantern', name: 'red' }, expr: 'spec.colour == "green"' };
    const awaited = begin(wait);
    const found = await look(awaited);
    expect(found).to.have.property('message').that.contains('serves no kind Lantern');
    await shop.client.create(toyDefinition('Lantern'), {}, shop.call);
    await servedSoon(async () => await shop.create(toy('Lantern', 'red')));
    expect(await look(awaited)).to.deep.equal({ kind: 'Done' });
  });

  it('tells the version that it found, for those who watch', async () => {
    await shop.create(deployment('web'));
    const found = await look(begin({ target: { kind: 'Deployment', name: 'web' }, expr: 'false' }));
    expect(found).to.have.nested.property('awaited.target.apiVersion', 'apps/v1');
  });

  it('ends when it is told to', async () => {
    const error = await caught(
      look(begin({ target, expr: 'true' }), { signal: AbortSignal.abort(new Error('over')) }),
    );
    expect(String(error)).to.equal('Error: over');
  });

  for (const { what, wait, said } of [
    { what: 'no CEL', wait: { target, expr: 'spec.replicas >' }, said: 'wait.expr: ' },
    { what: 'no bool', wait: { target, expr: '1 + 1' }, said: 'wait.expr: ' },
    { what: 'about nothing', wait: { expr: 'true' }, said: 'needs a target' },
    { what: 'missing', wait: { target }, said: 'needs a duration, or expr and target' },
  ]) {
    it(`fails at once when the expression is ${what}`, () => {
      expect(() => begin(wait)).to.throw(TerminalError, said);
    });
  }
});
