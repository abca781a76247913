import type {
  FieldChange,
  Hold,
  PlannedAction,
  PlannedChange,
  PlannedStage,
  StagePlanStatus,
} from '../../types/generated/subresources.stages.metio.wtf.v1.ts';

/** What a plan is of. */
export interface PlannedObject {
  readonly namespace: string;
  readonly name: string;
}

const signs: Readonly<Record<PlannedChange['verb'], string>> = {
  Create: '+',
  Update: '~',
  Move: '>',
  Recreate: '!',
  Prune: '-',
  Conflict: 'x',
};

/** A plan as a page for people: plain ASCII, no colours, one line for each change. */
export function planPage(
  { namespace, name }: PlannedObject,
  { verdict, message, runId, trigger, holds, stages, truncated }: StagePlanStatus,
): string {
  const run =
    runId === undefined ? [] : [`run ${runId}${trigger === undefined ? '' : `, ${trigger}`}`];
  const whole = holds.filter(({ stage }) => stage === undefined);
  return [
    `StageSet ${namespace}/${name}: ${verdict}`,
    sentence(message),
    ...run,
    ...whole.flatMap((hold) => holdLines(hold, '')),
    ...stages.flatMap(stageLines),
    ...(truncated === true ? ['', 'More changes follow: ask with limit and continue.'] : []),
    '',
  ].join('\n');
}

function sentence(message: string | undefined): string {
  return onOneLine(message ?? '');
}

function stageLines(stage: PlannedStage): string[] {
  const { name, verdict, identity, currentRevision, revision, error, changes, actions, holds } =
    stage;
  const from =
    currentRevision === undefined || currentRevision === revision ? '' : `${currentRevision} -> `;
  const where = revision === undefined ? '' : `  ${from}${revision}`;
  const { create, update, recreate, prune, conflict, unchanged } = stage.objects;
  const counts =
    `  ${create} to create, ${update} to update, ${recreate} to recreate, ${prune} to prune, ` +
    `${conflict} in conflict, ${unchanged} unchanged`;
  return [
    '',
    onOneLine(`stage ${name}: ${verdict}${where}`),
    `  as ${onOneLine(identity ?? '')}`,
    counts,
    ...(error === undefined ? [] : [`  ${onOneLine(error)}`]),
    ...(changes ?? []).flatMap(changeLines),
    ...(actions ?? []).map(actionLine),
    ...(holds ?? []).flatMap((hold) => holdLines(hold, '  ')),
  ];
}

function changeLines(change: PlannedChange): string[] {
  const { verb, apiVersion, kind, namespace, name, dataBearing, owner, error, fields } = change;
  const where = namespace === undefined ? name : `${namespace}/${name}`;
  const data = dataBearing === true ? '  DATA IS LOST' : '';
  const why = owner === undefined ? error : `belongs to ${owner}`;
  return [
    onOneLine(`  ${signs[verb]} ${apiVersion} ${kind} ${where}${data}`),
    ...(why === undefined ? [] : [`      ${onOneLine(why)}`]),
    ...(fields ?? []).map(fieldLine),
  ];
}

const verdicts: Readonly<Record<PlannedAction['verdict'], string>> = {
  WillRun: 'WILL RUN',
  Skip: 'SKIP',
  Halted: 'HALTED',
};

function actionLine({ hook, name, type, verdict, scope, reason }: PlannedAction): string {
  const why = reason === undefined ? '' : `: ${reason}`;
  const often = scope === undefined ? '' : `, scope ${scope}`;
  return onOneLine(`  ${verdicts[verdict]} ${hook} ${name} (${type}${often})${why}`);
}

function fieldLine(change: FieldChange): string {
  const side = (value: unknown): string => (value === undefined ? '(none)' : JSON.stringify(value));
  return onOneLine(`      ${change.path}: ${side(change.from)} -> ${side(change.to)}`);
}

function holdLines({ gate, reason, until, releasedBy, command }: Hold, indent: string): string[] {
  const end = until === undefined ? '' : ` until ${until}`;
  return [
    onOneLine(`${indent}held by ${gate}${end}, released by ${releasedBy.toLowerCase()}: ${reason}`),
    ...(command === undefined ? [] : [onOneLine(`${indent}  ${command}`)]),
  ];
}

/** Names and messages are a tenant's text: none of it may look like another line or steer a terminal. */
function onOneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to be replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}
