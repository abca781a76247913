import type { MetricSource, StageSetSpec } from '../../types/stages.ts';
import { parseJsonPath } from '../objects/json-path.ts';
import { isProblem } from '../problem.ts';
import type { FieldProblem } from './field-problem.ts';
import { urlProblem } from './urls.ts';

/** What is wrong with the metric sources of all gates of a spec (part B 4.5). */
export function allMetricSourceProblems(spec: StageSetSpec): FieldProblem[] {
  return metricSourcesOf(spec).flatMap(([path, source]) => metricSourceProblems(source, path));
}

/** What is wrong with a metric source at a path. */
export function metricSourceProblems(source: MetricSource, path: string): FieldProblem[] {
  const { prometheus, webhook } = source;
  if ((prometheus === undefined) === (webhook === undefined)) {
    return [{ path, message: 'needs exactly one of prometheus and webhook' }];
  }
  return [
    ...(prometheus === undefined ? [] : prometheusProblems(prometheus, `${path}.prometheus`)),
    ...(webhook === undefined ? [] : webhookProblems(webhook, `${path}.webhook`)),
  ];
}

/** Path and source of each gate that reads one. */
/** Every metric source of a spec, with the path of its field. */
export function metricSourcesOf({
  errorBudget,
  stages,
}: StageSetSpec): [path: string, source: MetricSource][] {
  const found = new Map<string, MetricSource | undefined>([
    ['spec.errorBudget.source', errorBudget?.source],
  ]);
  for (const [index, { errorBudget: own, promotion }] of stages.entries()) {
    const at = `spec.stages[${index}]`;
    found.set(`${at}.errorBudget.source`, own?.source);
    for (const [check, { source }] of (promotion?.analysis?.checks ?? []).entries()) {
      found.set(`${at}.promotion.analysis.checks[${check}].source`, source);
    }
    found.set(`${at}.promotion.fastTrack.source`, promotion?.fastTrack?.source);
  }
  return [...found].flatMap(([path, source]): [string, MetricSource][] =>
    source === undefined ? [] : [[path, source]],
  );
}

type Prometheus = NonNullable<MetricSource['prometheus']>;
type Webhook = NonNullable<MetricSource['webhook']>;

function prometheusProblems(
  { address, query, secretRef }: Prometheus,
  path: string,
): FieldProblem[] {
  return [
    ...problemAt(`${path}.address`, urlProblem(address, 'secretRef')),
    ...(query.trim() === '' ? [{ path: `${path}.query`, message: 'is empty; give PromQL' }] : []),
    ...secretProblems(secretRef, path),
  ];
}

function webhookProblems({ url, jsonPath, secretRef }: Webhook, path: string): FieldProblem[] {
  const parsed = parseJsonPath(jsonPath);
  return [
    ...problemAt(`${path}.url`, urlProblem(url, 'secretRef')),
    ...problemAt(`${path}.jsonPath`, isProblem(parsed) ? parsed.problem : undefined),
    ...secretProblems(secretRef, path),
  ];
}

function secretProblems(secretRef: Prometheus['secretRef'], path: string): FieldProblem[] {
  if (secretRef === undefined || secretRef.name !== '') return [];
  return [{ path: `${path}.secretRef.name`, message: 'is empty; name a Secret or leave it out' }];
}

function problemAt(path: string, message: string | undefined): FieldProblem[] {
  return message === undefined ? [] : [{ path, message }];
}
