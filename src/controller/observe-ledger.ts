import { lifetimeActionsOf } from '../core/actions/action.ts';
import { type ActionLedger, ledgerOf } from '../core/actions/ledger.ts';
import {
  type AnchorLook,
  askedAnchors,
  settledStatus,
  settleLedger,
} from '../core/actions/lifetime.ts';
import type { Clock } from '../core/time.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { StageLedger } from '../types/stages.ts';
import type { LedgerStore } from './ledger-store.ts';
import { ownerOf } from './owner.ts';
import { type AnchorReader, readAnchors } from './read-anchors.ts';
import type { StageAt } from './stage-at.ts';
import type { Targets } from './targets.ts';

interface LedgerSight {
  readonly targets: Targets;
  readonly clock: Clock;
}

/** The ledger of a stage as a run would find it; nothing is written. */
export async function observeLedger(
  at: StageAt,
  sight: LedgerSight & { readonly ledgers: LedgerStore },
  call: CallOptions,
): Promise<ActionLedger> {
  if (lifetimeActionsOf(at.stage).length === 0) return ledgerAt(at, undefined);
  const stored = await sight.ledgers.find(at.stageSet, call);
  const { settlement } = await settlementOf(at, stored, sight, call);
  const status = settledStatus(stored, settlement);
  if (tokenFor(at) === undefined) return ledgerAt(at, { ...stored, status });
  // Who asks for the stage anew has looked at what was interrupted.
  const startedActions = (status.startedActions ?? []).filter(
    ({ stage }) => stage !== at.stage.name,
  );
  return ledgerAt(at, { ...stored, status: { ...status, startedActions } });
}

/** What the witnesses and the baseline of a stage say today. */
export async function settlementOf(
  at: StageAt,
  ledger: StageLedger,
  { targets, clock }: LedgerSight,
  call: CallOptions,
): Promise<ReturnType<typeof settleLedger>> {
  const { run, stage } = at;
  const asked = askedAnchors(run.spec, ledger).filter((each) => each.stage === stage.name);
  const looks =
    asked.length === 0
      ? new Map<string, AnchorLook>()
      : await readAnchors(asked, await anchorReader(at, targets, call), call);
  return settleLedger(run.spec, ledger, looks, clock());
}

/** Witnesses are read as the stage's account, where the stage is applied (part A 9.1). */
export async function anchorReader(
  { stageSet, stage }: StageAt,
  targets: Targets,
  call: CallOptions,
): Promise<AnchorReader> {
  const { client } = await targets.readyTargetOf(stageSet, stage.name, call);
  return { client, namespace: ownerOf(stageSet).namespace };
}

/** The token by which a person asks for this stage's actions anew. */
export function tokenFor({ run, stage }: StageAt): string | undefined {
  return run.forced?.stage === stage.name ? run.forced.token : undefined;
}

export function ledgerAt(at: StageAt, lifetime: StageLedger | undefined): ActionLedger {
  const { run, index, stage, stageSet } = at;
  return ledgerOf({
    stage,
    status: stageSet.status?.stages?.find(({ name }) => name === stage.name),
    revision: run.pinned[index]?.revision ?? '',
    version: run.desiredVersion,
    baseline: run.version?.plan.kind === 'Baseline',
    token: tokenFor(at),
    lifetime,
  });
}
