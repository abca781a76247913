import type { Threshold } from '../../types/stages.ts';
import { parseDecimal } from './decimal.ts';

/**
 * Whether a value is within bounds, which belong to the good values (part B 3.2, 4.5). Bounds that are
 * missing or no numbers let nothing in.
 */
export function withinThreshold(value: number, { min, max }: Threshold): boolean {
  if (min === undefined && max === undefined) return false;
  const lowest = min === undefined ? -Infinity : (parseDecimal(min) ?? Infinity);
  const highest = max === undefined ? Infinity : (parseDecimal(max) ?? -Infinity);
  return lowest <= value && value <= highest;
}
