import { expect } from 'chai';
import { seconds } from '../../../src/core/time.ts';
import { collectProcessMetrics, createMetrics, type Metrics } from '../../../src/server/metrics.ts';
import { metricsApp } from '../../../src/server/metrics-endpoint.ts';
import { ask, serveOnLoopback } from './request.ts';

const web = { namespace: 'shop', name: 'web' };
const api = { namespace: 'shop', name: 'api' };

describe('metrics', () => {
  let now: number;
  let metrics: Metrics;

  beforeEach(() => {
    now = 0;
    metrics = createMetrics(() => now);
  });

  /** The series whose line starts with the text, comments left out. */
  async function series(start: string): Promise<string[]> {
    const lines = (await metrics.registry.metrics()).split('\n');
    return lines.filter((line) => line.startsWith(start));
  }

  it('counts reconciles by their final reason', async () => {
    metrics.controller.reconciled(web, 'Succeeded');
    metrics.controller.reconciled(web, 'Succeeded');
    metrics.controller.reconciled(web, 'SourceNotReady');
    expect(await series('stageset_reconcile_total')).to.deep.equal([
      'stageset_reconcile_total{namespace="shop",name="web",reason="Succeeded"} 2',
      'stageset_reconcile_total{namespace="shop",name="web",reason="SourceNotReady"} 1',
    ]);
  });

  it('names the StageSet by the label that each family has', async () => {
    metrics.controller.stageApplied(web, 'crds');
    metrics.controller.driftCorrected(web, 'crds', 3);
    metrics.controller.setStageReadiness(web, 'crds', 'Ready');
    metrics.controller.inventoryEntriesSkipped(web, 'crds', 2);
    metrics.controller.teardownForced(web, 'timed_out');
    metrics.controller.watchFailed('source.toolkit.fluxcd.io/v1/Bucket');
    metrics.controller.setOwnedWatches(7);
    expect(await series('stageset_')).to.deep.equal([
      'stageset_teardown_force_drop_total{namespace="shop",name="web",reason="timed_out"} 1',
      'stageset_watch_engagement_failures_total{gvk="source.toolkit.fluxcd.io/v1/Bucket"} 1',
      'stageset_owned_watches 7',
      'stageset_stage_applied_total{namespace="shop",name="web",stage="crds"} 1',
      'stageset_drift_corrected_total{namespace="shop",name="web",stage="crds"} 3',
      'stageset_stage_ready{namespace="shop",stageset="web",stage="crds"} 1',
      'stageset_inventory_skipped_entries_total{namespace="shop",stageset="web",stage="crds"} 2',
      'stageset_webhook_cert_renewal_failures_total 0',
    ]);
  });

  it('counts executed actions by their scope', async () => {
    metrics.controller.actionRun(web, 'Revision');
    metrics.controller.actionRun(web, 'Lifetime');
    metrics.controller.actionRun(web, 'Revision');
    expect(await series('stageset_action_runs_total')).to.deep.equal([
      'stageset_action_runs_total{namespace="shop",name="web",scope="Revision"} 2',
      'stageset_action_runs_total{namespace="shop",name="web",scope="Lifetime"} 1',
    ]);
  });

  it('counts adopted ledgers and unreadable witnesses', async () => {
    metrics.controller.ledgerAdopted(web);
    metrics.controller.ledgerAnchorUnreadable(web);
    expect(await series('stageset_ledger')).to.deep.equal([
      'stageset_ledger_adoptions_total{namespace="shop",name="web"} 1',
      'stageset_ledger_anchor_errors_total{namespace="shop",name="web"} 1',
    ]);
  });

  it('shows a stage that is no longer ready', async () => {
    metrics.controller.setStageReadiness(web, 'crds', 'Ready');
    metrics.controller.setStageReadiness(web, 'crds', 'NotReady');
    expect(await series('stageset_stage_ready')).to.deep.equal([
      'stageset_stage_ready{namespace="shop",stageset="web",stage="crds"} 0',
    ]);
  });

  it('ends the series of a removed stage and keeps those of the others', async () => {
    for (const stage of ['crds', 'app']) {
      metrics.controller.stageApplied(web, stage);
      metrics.controller.setStageReadiness(web, stage, 'Ready');
    }
    metrics.controller.reconciled(web, 'Succeeded');
    metrics.controller.forgetStage(web, 'crds');
    expect(await series('stageset_')).to.deep.equal([
      'stageset_owned_watches 0',
      'stageset_reconcile_total{namespace="shop",name="web",reason="Succeeded"} 1',
      'stageset_stage_applied_total{namespace="shop",name="web",stage="app"} 1',
      'stageset_stage_ready{namespace="shop",stageset="web",stage="app"} 1',
      'stageset_webhook_cert_renewal_failures_total 0',
    ]);
  });

  it('ends all series of a deleted StageSet but for the force-drop counter', async () => {
    for (const stageSet of [web, api]) {
      metrics.controller.reconciled(stageSet, 'Succeeded');
      metrics.controller.stageApplied(stageSet, 'app');
      metrics.controller.driftCorrected(stageSet, 'app', 1);
      metrics.controller.setStageReadiness(stageSet, 'app', 'Ready');
      metrics.controller.inventoryEntriesSkipped(stageSet, 'app', 1);
      metrics.controller.actionRun(stageSet, 'Lifetime');
      metrics.controller.ledgerAdopted(stageSet);
      metrics.controller.ledgerAnchorUnreadable(stageSet);
    }
    metrics.controller.teardownForced(web, 'permanent');
    metrics.controller.forgetStageSet(web);
    const left = await series('stageset_');
    expect(left.filter((line) => line.includes('"web"'))).to.deep.equal([
      'stageset_teardown_force_drop_total{namespace="shop",name="web",reason="permanent"} 1',
    ]);
    expect(left.filter((line) => line.includes('"api"'))).to.have.length(8);
  });

  it('starts the standard series at zero, so that a rate sees the first reconcile', async () => {
    expect(await series('controller_runtime_reconcile_total')).to.deep.equal([
      'controller_runtime_reconcile_total{controller="stageset",result="success"} 0',
      'controller_runtime_reconcile_total{controller="stageset",result="error"} 0',
      'controller_runtime_reconcile_total{controller="stageset",result="requeue"} 0',
      'controller_runtime_reconcile_total{controller="stageset",result="requeue_after"} 0',
    ]);
    expect(await series('workqueue_depth')).to.deep.equal([
      'workqueue_depth{name="stageset",controller="stageset"} 0',
    ]);
  });

  it('tells workers, results and durations as controller-runtime does', async () => {
    metrics.controller.setWorkers(4);
    metrics.controller.reconcileStarted();
    metrics.controller.reconcileStarted();
    metrics.controller.reconcileFinished('error', 0.3);
    expect(await series('controller_runtime_')).to.include.members([
      'controller_runtime_max_concurrent_reconciles{controller="stageset"} 4',
      'controller_runtime_active_workers{controller="stageset"} 1',
      'controller_runtime_reconcile_total{controller="stageset",result="error"} 1',
      'controller_runtime_reconcile_errors_total{controller="stageset"} 1',
      'controller_runtime_reconcile_time_seconds_bucket{le="0.25",controller="stageset"} 0',
      'controller_runtime_reconcile_time_seconds_bucket{le="0.3",controller="stageset"} 1',
      'controller_runtime_reconcile_time_seconds_count{controller="stageset"} 1',
    ]);
  });

  it('follows keys through the queue', async () => {
    const { queue } = metrics.controller;
    queue.added('shop/web');
    queue.added('shop/web');
    queue.added('shop/api');
    now = 2_000;
    queue.started('shop/web');
    now = 5_000;
    queue.started('shop/api');
    queue.added('shop/web');
    now = 6_000;
    const labels = '{name="stageset",controller="stageset"}';
    expect(await series('workqueue_')).to.include.members([
      `workqueue_adds_total${labels} 3`,
      `workqueue_depth${labels} 1`,
      `workqueue_queue_duration_seconds_sum${labels} 7`,
      `workqueue_queue_duration_seconds_count${labels} 2`,
      `workqueue_unfinished_work_seconds${labels} 5`,
      `workqueue_longest_running_processor_seconds${labels} 4`,
      `workqueue_retries_total${labels} 0`,
    ]);
    queue.finished('shop/web');
    queue.retried('shop/web');
    queue.finished('shop/api');
    expect(await series('workqueue_')).to.include.members([
      `workqueue_work_duration_seconds_sum${labels} 5`,
      `workqueue_work_duration_seconds_count${labels} 2`,
      `workqueue_unfinished_work_seconds${labels} 0`,
      `workqueue_longest_running_processor_seconds${labels} 0`,
      `workqueue_retries_total${labels} 1`,
    ]);
  });

  it('counts requests to API servers', async () => {
    metrics.client.requestEnded({ code: '200', method: 'PATCH', host: '10.0.0.1:443' });
    metrics.client.requestEnded({ code: '<error>', method: 'GET', host: '10.0.0.1:443' });
    expect(await series('rest_client_requests_total')).to.deep.equal([
      'rest_client_requests_total{code="200",method="PATCH",host="10.0.0.1:443"} 1',
      'rest_client_requests_total{code="<error>",method="GET",host="10.0.0.1:443"} 1',
    ]);
  });

  it('does not let tenants make series without end', async () => {
    for (let host = 0; host < 1_000; host += 1) {
      metrics.client.requestEnded({ code: '200', method: 'GET', host: `host-${host}` });
    }
    const lines = await series('rest_client_requests_total');
    expect(lines).to.have.length(201);
    expect(lines.at(-1)).to.equal(
      'rest_client_requests_total{code="200",method="GET",host="other"} 800',
    );
  });

  it('serves everything at /metrics, the process included', async () => {
    collectProcessMetrics(metrics.registry);
    const server = await serveOnLoopback(metricsApp(metrics.registry));
    const answer = await ask(server, '/metrics');
    expect(answer.status).to.equal(200);
    expect(answer.headers['content-type']).to.match(/^text\/plain;.*version=0\.0\.4/);
    expect(answer.body).to.match(/^process_resident_memory_bytes [1-9]/m);
    expect(answer.body).to.match(/^process_cpu_seconds_total /m);
    expect(answer.body).to.match(/^nodejs_eventloop_lag_p99_seconds /m);
    expect(await ask(server, '/')).to.include({ status: 404, body: 'not found\n' });
    await server.stop(seconds(1));
  });
});
