import { TerminalError } from '../errors.ts';

/** Where in an artifact something is written; lines and columns start at 1. */
export interface SourcePosition {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/** `file:line:column`, as compilers write it. */
export function describePosition({ file, line, column }: SourcePosition): string {
  return [file, line, column].filter((part) => part !== undefined).join(':');
}

/** A manifest that must be changed before its stage can go on. */
export function manifestError(at: SourcePosition, problem: string): TerminalError {
  return new TerminalError(`${describePosition(at)}: ${problem}`, { reason: 'StageFailed' });
}
