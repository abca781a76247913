import type { LabelSelector } from '../../types/stages.ts';
import { TerminalError } from '../errors.ts';

const name = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const prefix = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/**
 * A `metav1.LabelSelector` as a query parameter, such as `app=shop,tier in (a,b)`; empty for one
 * without requirements, which selects everything.
 *
 * @throws TerminalError for keys, values and operators that the API does not know: they would change
 *   the meaning of the text.
 */
export function selectorText({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const labels = Object.entries(matchLabels).map(
    ([key, value]) => `${validKey(key)}=${validValue(value)}`,
  );
  const expressions = matchExpressions.map(({ key, operator, values = [] }) =>
    requirement(validKey(key), operator, values),
  );
  return [...labels, ...expressions].join(',');
}

function requirement(key: string, operator: string, values: readonly string[]): string {
  switch (operator) {
    case 'In':
    case 'NotIn': {
      if (values.length === 0) throw invalid(`${operator} of ${key} needs values`);
      const word = operator === 'In' ? 'in' : 'notin';
      return `${key} ${word} (${values.map(validValue).join(',')})`;
    }
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) throw invalid(`${operator} of ${key} takes no values`);
      return operator === 'Exists' ? key : `!${key}`;
    default:
      throw invalid(`the operator of ${key} must be In, NotIn, Exists or DoesNotExist`);
  }
}

function validKey(key: string): string {
  const [last = '', ...before] = key.split('/').reverse();
  const [domain] = before;
  const valid =
    before.length <= 1 &&
    name.test(last) &&
    (domain === undefined || (domain.length <= 253 && prefix.test(domain)));
  if (!valid) throw invalid(`"${key.slice(0, 100)}" is no label key`);
  return key;
}

function validValue(value: string): string {
  if (value !== '' && !name.test(value)) {
    throw invalid(`"${value.slice(0, 100)}" is no label value`);
  }
  return value;
}

function invalid(what: string): TerminalError {
  return new TerminalError(`selector: ${what}`, { reason: 'InvalidSpec' });
}
