import { expect } from 'chai';
import { configMap, deployment, toy } from '../objects.ts';
import { useController } from '../playground.ts';
import { afterLooks } from '../reconciles.ts';
import { phasesOf, readyOf, type TestNamespace } from '../test-namespace.ts';
import { defineToy } from '../toys.ts';

const ferries = { apiVersion: 'toys.example.com/v1', kind: 'Ferry' };
const express = toy('Ferry', 'express');

describe('readyChecks.exprs', () => {
  const stand = useController();
  before('define a kind', async () => await defineToy(stand.playground, 'Ferry'));

  async function begin(
    exprs: readonly object[],
    more: object = {},
    spec: Record<string, unknown> = {},
  ): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [express, toy('Ferry', 'local')]);
    await shop.createStageSet([{ name: 'app', readyChecks: { exprs, ...more } }], spec);
    return shop;
  }

  it('hold the stage until all objects of the kind satisfy them', async () => {
    const shop = await begin([{ ...ferries, current: "status.phase == 'Departed'" }]);
    await shop.untilPhase('app', 'Verifying');
    await shop.patch(express, { status: { phase: 'Departed' } });
    await afterLooks(stand.controller, 2, async () => await Promise.resolve());
    await shop.untilPhase('app', 'Verifying');
    await shop.patch(toy('Ferry', 'local'), { status: { phase: 'Departed' } });
    await shop.untilReady('v1');
  });

  it('pass at once when they are satisfied from the start, also with integers of the object', async () => {
    const shop = await begin([
      { ...ferries, current: "spec.colour == 'green' && metadata.generation + 1 == 2" },
    ]);
    await shop.untilReady('v1');
  });

  it('fail the stage at once when one says that its object failed', async () => {
    const shop = await begin([
      { ...ferries, current: 'has(status.phase)', failed: "status.phase == 'Derailed'" },
    ]);
    await shop.untilPhase('app', 'Verifying');
    await shop.patch(express, { status: { phase: 'Derailed' } });
    expect(await shop.untilReason('StageFailed')).to.include(
      `Ferry/${shop.name}/express: readyChecks.exprs[0].failed is true`,
    );
  });

  it('never block without current', async () => {
    const shop = await begin([{ ...ferries, failed: "has(status.phase) && status.phase == 'x'" }]);
    await shop.untilReady('v1');
  });

  it('compare group and kind, and no version', async () => {
    const shop = await begin(
      [{ apiVersion: 'toys.example.com/v9', kind: 'Ferry', current: 'status.ok' }],
      { timeout: '1s' },
    );
    expect(await shop.untilReason('StageFailed')).to.include(
      'readyChecks.exprs[0].current gives no answer',
    );
  });

  it('do nothing where the stage applied no object of the kind', async () => {
    const shop = await begin([
      { apiVersion: 'toys.example.com/v1', kind: 'Boat', current: 'false' },
      { apiVersion: 'v1', kind: 'Ferry', current: 'false' },
    ]);
    await shop.untilReady('v1');
  });

  it('still count with disableWait', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [deployment('web')]);
    const exprs = [{ apiVersion: 'apps/v1', kind: 'Deployment', current: 'has(status.replicas)' }];
    await shop.createStageSet([{ name: 'app', readyChecks: { disableWait: true, exprs } }]);
    await shop.untilPhase('app', 'Verifying');
    await shop.patch(deployment('web'), { spec: { replicas: 1 } });
    await afterLooks(stand.controller, 2, async () => await Promise.resolve());
    await shop.untilPhase('app', 'Verifying');
    await shop.reportDeployment('web', 'Stuck');
    // Failed by the rules for Deployments, which disableWait switches off.
    await shop.untilReady('v1');
  });

  it('are asked only when everything that is waited for is current', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [deployment('web'), configMap('settings')]);
    const exprs = [{ apiVersion: 'v1', kind: 'ConfigMap', failed: "metadata.name == 'settings'" }];
    await shop.createStageSet([{ name: 'app', readyChecks: { exprs } }]);
    await shop.untilPhase('app', 'Verifying');
    await afterLooks(stand.controller, 2, async () => await Promise.resolve());
    expect(phasesOf(await shop.untilPhase('app', 'Verifying'))).to.deep.equal(['Verifying']);
    await shop.reportDeployment('web', 'Available');
    expect(await shop.untilReason('StageFailed')).to.include(
      `ConfigMap/${shop.name}/settings: readyChecks.exprs[0].failed is true`,
    );
  });

  it('attack 65: an expression that costs too much, in a run (it gives no answer, and holds nobody up, part A 6.4)', async () => {
    const shop = await stand.namespace();
    const list = Array.from({ length: 300 }, (_, index) => index);
    const heavy = { ...express, spec: { list } };
    await shop.publish('app', 'v1', [heavy]);
    const current = 'spec.list.all(a, spec.list.all(b, spec.list.all(c, a + b + c >= 0)))';
    const pattern = 'metadata.name.matches("^(e+)+xpress$")';
    await shop.createStageSet([
      {
        name: 'app',
        readyChecks: {
          timeout: '3s',
          exprs: [
            { ...ferries, current: pattern },
            { ...ferries, current },
          ],
        },
      },
    ]);
    expect(await shop.untilReason('StageFailed')).to.include(
      `1 of 2 not ready: Ferry/${shop.name}/express: readyChecks.exprs[1].current gives no answer: ` +
        'it could cost too much on an object of this size',
    );
  });

  it('that hold a stage are interrupted by the deletion of the StageSet', async () => {
    const shop = await begin([{ ...ferries, current: 'false' }], { timeout: '1h' });
    await shop.untilPhase('app', 'Verifying');
    await shop.deleteStageSet();
    await shop.untilStageSetGone({ within: 5_000 });
    expect(await shop.owned('toys.example.com/v1', 'Ferry')).to.deep.equal([]);
  });

  it('that are wrong are refused before anything is applied', async () => {
    const shop = await begin([
      { ...ferries, current: 'self.status.ok', failed: 'status.phase ==', inProgress: 'kind' },
    ]);
    const message = await shop.untilReason('InvalidSpec');
    expect(message).to.include(
      'spec.stages[0].readyChecks.exprs[0].current: does not hold together: there is no self; ' +
        'it can use apiVersion, kind, metadata, spec, status',
    );
    expect(message).to.include(
      'spec.stages[0].readyChecks.exprs[0].inProgress: gives a value of type string, not a bool',
    );
    expect(message).to.include('spec.stages[0].readyChecks.exprs[0].failed: is not standard CEL');
    expect(await shop.inventories()).to.deep.equal({});
  });

  it('show in Ready what is waited for', async () => {
    const shop = await begin([{ ...ferries, current: "status.phase == 'Departed'" }]);
    const stageSet = await shop.untilStageSet(
      (seen) => readyOf(seen)?.message.includes('readyChecks.exprs') === true,
    );
    expect(readyOf(stageSet)?.message).to.equal(
      'Rolling out, stage 1 of 1 (app): 2 of 2 not ready: ' +
        `Ferry/${shop.name}/express: readyChecks.exprs[0].current gives no answer: there is no such ` +
        `field or item at status.phase; Ferry/${shop.name}/local: readyChecks.exprs[0].current ` +
        'gives no answer: there is no such field or item at status.phase',
    );
  });
});
