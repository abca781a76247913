import { type ReadObject, reported } from './fields.ts';
import { current, failed, inProgress, type ObjectHealth } from './object-health.ts';

export function customResourceDefinitionHealth({ conditions }: ReadObject): ObjectHealth {
  for (const condition of conditions) {
    const { type, status, reason } = condition;
    if (type === 'NamesAccepted' && status === 'False') return failed(reported(condition));
    if (type !== 'Established') continue;
    if (status === 'True') return current('established');
    if (status === 'False' && reason !== 'Installing') return failed(reported(condition));
  }
  return inProgress('not established yet');
}
