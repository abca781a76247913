import { parseJsonPath, valuesAt } from '../objects/json-path.ts';
import { isProblem } from '../problem.ts';
import { isJsonObject } from '../validate/json-object.ts';
import { parseDecimal } from './decimal.ts';
import { parseMetricJson } from './metric-json.ts';

/** What an answer of a metric source comes to (part B 4.5). */
export type MetricValue =
  | { readonly kind: 'Value'; readonly value: number }
  /** A clause about the shape of the answer, and nothing of its content: `has no sample; ...`. */
  | { readonly kind: 'Problem'; readonly problem: string };

/** The one number in the body of a Prometheus answer: a scalar, or a vector of exactly one sample. */
export function prometheusValue(body: string): MetricValue {
  const parsed = parseMetricJson(body);
  if (parsed.kind === 'Problem') return parsed;
  const { json } = parsed;
  if (!isJsonObject(json) || !('status' in json)) return problem(noPrometheus);
  if (json['status'] !== 'success') return problem('says that the query failed');
  const data = json['data'];
  if (!isJsonObject(data)) return problem(noPrometheus);
  const { resultType, result } = data;
  switch (resultType) {
    case 'scalar':
      return sampleValue(result);
    case 'vector':
      return vectorValue(result);
    case 'matrix':
      return problem('is a matrix, the values of a range; leave the range of the query out');
    case 'string':
      return problem('is a string; give a query that yields a number');
    default:
      return problem(noPrometheus);
  }
}

/** The one number that a JSONPath leads to in a JSON body, or that a text there stands for. */
export function webhookValue(body: string, jsonPath: string): MetricValue {
  const path = parseJsonPath(jsonPath);
  if (isProblem(path)) return problem(`cannot be read: jsonPath ${path.problem}`);
  const parsed = parseMetricJson(body);
  if (parsed.kind === 'Problem') return parsed;
  const [only, ...others] = valuesAt(path, parsed.json);
  if (only === undefined) return problem('has nothing at jsonPath');
  if (others.length > 0) {
    return problem(`has ${others.length + 1} values at jsonPath; one is wanted`);
  }
  if (typeof only === 'number' && Number.isFinite(only)) return { kind: 'Value', value: only };
  if (typeof only === 'string') return textValue(only, 'has a text at jsonPath that');
  return problem(`has ${shapeOf(only)} at jsonPath; a number is wanted`);
}

const noPrometheus = 'is no answer of the query API of Prometheus; look at the address';

function vectorValue(result: unknown): MetricValue {
  if (!Array.isArray(result)) return problem(noPrometheus);
  const samples: readonly unknown[] = result;
  const [only] = samples;
  if (only === undefined) return problem('has no sample; the query found no series');
  if (samples.length > 1) {
    return problem(`has ${samples.length} series; aggregate them to one, such as with sum()`);
  }
  if (!isJsonObject(only)) return problem(noPrometheus);
  if (!('value' in only) && 'histogram' in only) {
    return problem('is a histogram; ask for one number of it');
  }
  return sampleValue(only['value']);
}

/** A time and the value as a text. */
function sampleValue(sample: unknown): MetricValue {
  if (!Array.isArray(sample) || sample.length !== 2) return problem(noPrometheus);
  const parts: readonly unknown[] = sample;
  const [time, value] = parts;
  if (typeof time !== 'number' || typeof value !== 'string') return problem(noPrometheus);
  return textValue(value, 'has a value that');
}

function textValue(text: string, what: string): MetricValue {
  const value = parseDecimal(text);
  if (value !== undefined) return { kind: 'Value', value };
  if (/^\s*[+-]?nan\s*$/i.test(text)) {
    return problem(`${what} is NaN; see whether the query divides by zero`);
  }
  if (/^\s*[+-]?inf(inity)?\s*$/i.test(text)) return problem(`${what} is infinite`);
  return problem(`${what} is no decimal number`);
}

function shapeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return 'a number that no double can hold';
  return typeof value === 'object' ? 'an object' : 'a boolean';
}

function problem(text: string): MetricValue {
  return { kind: 'Problem', problem: text };
}
