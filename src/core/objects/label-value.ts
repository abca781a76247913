import { TerminalError } from '../errors.ts';

/** Characters of a label value. */
export const longestLabel = 63;

/**
 * A name as the value of a label that says who owns an object (part A 4.8).
 *
 * @throws TerminalError with reason `InvalidSpec` when a label cannot hold it.
 */
export function labelValue(name: string, owner: 'StageSet' | 'namespace' | 'stage'): string {
  if (name.length <= longestLabel) return name;
  throw new TerminalError(
    `the name of ${owner} ${name} has ${name.length} characters, but it labels every object that ` +
      `is applied, and a label value holds at most ${longestLabel}; give it a shorter name`,
    { reason: 'InvalidSpec' },
  );
}
