import type {
  Advance,
  RecordedAction,
  RecordedHold,
  RecordedStage,
  StageRun,
} from '../../types/stages.ts';
import { formatDuration } from '../duration.ts';
import { type Instant, milliseconds } from '../time.ts';
import { nobody, type RunSummary, runSummary } from './run-summary.ts';

/** What a page of a history is of. */
export interface HistoryHeading {
  readonly namespace: string;
  readonly name: string;
  /** Runs that come after this page. */
  readonly remaining: number;
}

/**
 * A history as a page that people read: the runs, their stages, and who passed which gate. Texts of
 * others are on one line each, and without characters that a terminal would act upon.
 */
export function historyText(
  { namespace, name, remaining }: HistoryHeading,
  runs: readonly StageRun[],
  now: Instant,
): string {
  const title = `History of StageSet ${namespace}/${name}, the newest run first`;
  const blocks = runs.map((run) => runText(run, now));
  const none = runs.length === 0 ? ['No run.'] : [];
  const more = remaining === 0 ? [] : [`${remaining} more: ask for a larger limit.`];
  return `${[title, ...blocks, ...none, ...more].join('\n\n')}\n`;
}

function runText(run: StageRun, now: Instant): string {
  const summary = runSummary(run, now);
  const { message, stages = [], advances = [] } = run.status ?? {};
  const lines = [
    headline(summary),
    `  ${times(run, summary)}`,
    ...(summary.version === undefined ? [] : [`  version ${plain(summary.version)}`]),
    ...(message === undefined ? [] : [`  ${plain(message)}`]),
    ...stages.flatMap((stage) => stageLines(stage, run)),
    ...advances.map(advanceLine),
  ];
  return lines.join('\n');
}

function headline({ run, trigger, outcome }: RunSummary): string {
  return `${run}  ${outcome ?? 'Running'}  ${trigger ?? ''}`.trimEnd();
}

function times({ status }: StageRun, { startedAt, duration }: RunSummary): string {
  if (startedAt === undefined) return 'not begun';
  const lasted = duration ?? '?';
  if (status?.finishedAt === undefined) return `began ${startedAt}, ${lasted} ago`;
  return `began ${startedAt}, ended ${status.finishedAt}, took ${lasted}`;
}

function stageLines(stage: RecordedStage, { spec }: StageRun): string[] {
  const { name, phase, gates = [], actions = [] } = stage;
  const revision = spec?.snapshot.find((pinned) => pinned.stage === name)?.revision;
  const at = revision === undefined ? '' : ` at ${plain(revision)}`;
  return [
    `  stage ${name}: ${phase}${at}${counts(stage)}`,
    ...actions.map(actionLine),
    ...gates.map(gateLine),
  ];
}

function actionLine({
  hook,
  name,
  type,
  outcome,
  startedAt,
  finishedAt,
  message,
}: RecordedAction): string {
  const lasted = Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '');
  const took = Number.isNaN(lasted) ? '' : `, took ${formatDuration(milliseconds(lasted))}`;
  const why = message === undefined ? '' : `: ${plain(message)}`;
  return `    ${plain(hook)} ${plain(name)} (${plain(type)}): ${outcome}${took}${why}`;
}

function counts({ objects }: RecordedStage): string {
  if (objects === undefined) return '';
  const told = (['created', 'updated', 'recreated', 'pruned'] as const).flatMap((verb) => {
    const count = objects[verb] ?? 0;
    return count === 0 ? [] : [`${count} ${verb}`];
  });
  return told.length === 0 ? ', nothing changed' : `, ${told.join(', ')}`;
}

function gateLine({ gate, heldFrom, heldUntil, releasedBy }: RecordedHold): string {
  if (heldUntil === undefined) return `    held by ${gate} since ${heldFrom}`;
  const release = releasedBy === undefined ? '' : `, released by ${releasedBy}`;
  return `    held by ${gate} from ${heldFrom} to ${heldUntil}${release}`;
}

function advanceLine({ at, stage, gate, user, override, reason, via }: Advance): string {
  const how = override === true ? 'overrode' : 'passed';
  const why = reason === undefined ? '' : `: ${plain(reason)}`;
  return `  ${at} ${plain(user ?? nobody)} ${how} ${plain(gate)} of stage ${plain(stage)} (${via})${why}`;
}

/** On one line, and without control and direction characters. */
function plain(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd');
}
