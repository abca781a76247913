import { expect } from 'chai';
import { ExpressionEvaluator } from '../../../src/apply/expression-evaluator.ts';
import { milliseconds, seconds } from '../../../src/core/time.ts';
import type { KubernetesObject } from '../../../src/types/kubernetes.ts';

function trainWith(list: readonly unknown[], name = 'express'): KubernetesObject {
  return {
    apiVersion: 'toys.example.com/v1',
    kind: 'Train',
    metadata: { name },
    spec: { list },
    status: { phase: 'Boarding' },
  };
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

const tenant = 'team';

describe('the evaluation of expressions', () => {
  let evaluator = new ExpressionEvaluator();
  const { signal } = new AbortController();
  afterEach(async () => {
    await evaluator.close();
    evaluator = new ExpressionEvaluator();
  });

  it('answers at once, and on a thread what nothing proves short', async () => {
    const train = trainWith(numbers(3));
    for (const text of ["status.phase == 'Boarding'", "status.phase.matches('^B')"]) {
      expect(await evaluator.evaluate(text, train, tenant, signal)).to.deep.equal({
        kind: 'Bool',
        value: true,
      });
    }
  });

  it('ends one that takes too long, and answers the next', async () => {
    evaluator = new ExpressionEvaluator(milliseconds(200));
    const train = trainWith(numbers(900));
    const slow = 'spec.list.all(a, spec.list.all(b, a + b >= 0))';
    const result = await evaluator.evaluate(slow, train, tenant, signal);
    expect(result).to.deep.equal({ kind: 'Error', message: 'it took longer than 0.2 s' });
    const next = await evaluator.evaluate("status.phase.matches('^B')", train, tenant, signal);
    expect(next).to.deep.equal({ kind: 'Bool', value: true });
  });

  it('does not hold the event loop meanwhile', async () => {
    const train = trainWith(numbers(900));
    const slow = 'spec.list.all(a, spec.list.all(b, a + b >= 0))';
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
    }, 20);
    const started = await evaluator.evaluate("status.phase.matches('^B')", train, tenant, signal);
    expect(started.kind).to.equal('Bool');
    ticks = 0;
    const begun = performance.now();
    await evaluator.evaluate(slow, train, tenant, signal);
    clearInterval(timer);
    const possible = (performance.now() - begun) / 20;
    expect(ticks).to.be.greaterThan(possible / 3);
  });

  it('lets a simple one pass while an expensive one runs', async () => {
    evaluator = new ExpressionEvaluator(seconds(2));
    const train = trainWith(numbers(900));
    const order: string[] = [];
    const slow = evaluator
      .evaluate('spec.list.all(a, spec.list.all(b, a + b >= 0))', train, tenant, signal)
      .then(() => order.push('slow'));
    const quick = evaluator
      .evaluate("status.phase == 'Boarding'", trainWith([]), tenant, signal)
      .then(() => order.push('quick'));
    await Promise.all([slow, quick]);
    expect(order).to.deep.equal(['quick', 'slow']);
  });

  it('lets tenants take turns with what is expensive', async () => {
    evaluator = new ExpressionEvaluator(seconds(2));
    const order: string[] = [];
    const ask = async (whose: string): Promise<void> => {
      await evaluator.evaluate("status.phase.matches('^B')", trainWith([]), whose, signal);
      order.push(whose);
    };
    const crowd = Array.from({ length: 5 }, () => ask('crowd'));
    await Promise.all([...crowd, ask('other')]);
    expect(order).to.deep.equal(['crowd', 'other', 'crowd', 'crowd', 'crowd', 'crowd']);
  });

  it('gives up when nobody waits for it any more', async () => {
    const aborter = new AbortController();
    const train = trainWith(numbers(900));
    const slow = evaluator.evaluate(
      'spec.list.all(a, spec.list.all(b, a + b >= 0))',
      train,
      tenant,
      aborter.signal,
    );
    aborter.abort(new Error('the process is stopping'));
    const end = await slow.catch((error: unknown) => error);
    expect(end).to.be.an('error').with.property('message', 'the process is stopping');
  });

  it('refuses by an error what admission would have refused', async () => {
    expect(await evaluator.evaluate('self.ok', trainWith([]), tenant, signal)).to.deep.equal({
      kind: 'Error',
      message:
        'does not hold together: there is no self; it can use apiVersion, kind, metadata, spec, status',
    });
  });

  it('survives an object that is nested as deep as an API server takes', async () => {
    let deep: unknown = 'bottom';
    for (let level = 0; level < 9_000; level += 1) deep = [deep];
    const result = await evaluator.evaluate(
      'size(spec.list) == 1',
      trainWith([deep]),
      tenant,
      signal,
    );
    expect(result).to.deep.equal({ kind: 'Error', message: 'the object is nested too deep' });
  });
});
