import { fieldManager } from '../apply/field-manager.ts';
import { type PreviewedObject, previewObjects } from '../apply/preview.ts';
import { failureOf, redactedFailure } from '../controller/failure.ts';
import { selectorOf } from '../controller/owner.ts';
import type { PreparedStage } from '../controller/prepare-stage.ts';
import type { StageAt } from '../controller/stage-at.ts';
import type { Targets } from '../controller/targets.ts';
import { parseEntry } from '../core/inventory/entry.ts';
import { fieldChanges, masked } from '../core/plan/field-changes.ts';
import { plannedChange } from '../core/plan/planned-changes.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type {
  FieldChange,
  PlannedChange,
} from '../types/generated/subresources.stages.metio.wtf.v1.ts';

export interface PreviewOptions {
  readonly targets: Targets;
  readonly stageSetExists: (namespace: string, name: string) => Promise<boolean>;
  readonly dryRun: 'All' | 'None';
}

export interface StagePreview {
  readonly changes: readonly PlannedChange[];
  readonly unchanged: number;
}

/** What an apply of a built stage would change, in the order of application. */
export async function previewStage(
  at: StageAt,
  prepared: PreparedStage,
  { targets, stageSetExists, dryRun }: PreviewOptions,
  call: CallOptions,
): Promise<StagePreview> {
  const { stageSet, stage, memory } = at;
  const { client } = await targets.targetOf(stageSet, stage.name, call);
  const target = {
    client,
    owner: selectorOf(stageSet, stage),
    conflicts: stage,
    stageSetExists,
    brings: { namespaces: namespacesOf(at), kinds: new Set(memory.defined.keys()) },
    dryRun,
  };
  const previewed = await previewObjects(prepared.groups.flat(), target, call);
  const changes = previewed.flatMap((each) => toChange(each, memory.secrets));
  return { changes, unchanged: previewed.length - changes.length };
}

/** The Namespaces that the stages up to this one have. */
function namespacesOf({ memory }: StageAt): Set<string> {
  const references = [...memory.desired.values()]
    .flat()
    .flatMap((entry) => parseEntry(entry) ?? []);
  return new Set(
    references.flatMap(({ apiVersion, kind, name }) =>
      apiVersion === 'v1' && kind === 'Namespace' ? [name] : [],
    ),
  );
}

function toChange(previewed: PreviewedObject, secrets: ReadonlySet<string>): PlannedChange[] {
  const { object, verb, owner, error, before, after } = previewed;
  if (verb === 'Unchanged') return [];
  const why =
    error === undefined
      ? {}
      : { error: redactedFailure(failureOf('apply', error), secrets).message };
  const fields =
    before === undefined || after === undefined
      ? {}
      : { fields: shownFields(fieldChanges(before, after, fieldManager, secrets), secrets) };
  return [
    plannedChange(verb, object, { ...(owner === undefined ? {} : { owner }), ...why, ...fields }),
  ];
}

/**
 * An expression can take a Secret's value apart, or hide it in another one. Where any was put into a
 * stage, its fields are named and no value is told.
 */
function shownFields(fields: readonly FieldChange[], secrets: ReadonlySet<string>): FieldChange[] {
  if (secrets.size === 0) return [...fields];
  return fields.map(({ path, ...sides }) => ({
    path,
    ...Object.fromEntries(Object.keys(sides).map((side) => [side, masked])),
  }));
}
