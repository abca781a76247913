import type { StageSet } from '../../types/stages.ts';
import type { ForcedStage } from '../run.ts';

const annotation = 'stages.metio.wtf/reconcile-stage';

/**
 * The stage whose actions a person asks to be done anew, by `<stage>@<token>` (part A 2.2). A token
 * that a stage has answered, an unknown stage and any other text ask for nothing.
 */
export function forcedStage({ metadata, spec, status }: StageSet): ForcedStage | undefined {
  const text = metadata.annotations?.[annotation] ?? '';
  const separator = text.indexOf('@');
  const stage = text.slice(0, Math.max(separator, 0));
  const token = text.slice(separator + 1);
  if (stage === '' || token === '') return undefined;
  if (spec?.stages.some(({ name }) => name === stage) !== true) return undefined;
  const handled = status?.stages?.find(({ name }) => name === stage)?.lastHandledReconcileAt;
  return handled === token ? undefined : { stage, token };
}
