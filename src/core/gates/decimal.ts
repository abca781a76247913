/**
 * The number that a decimal text stands for, such as `0.25`, `-3` or `1e-3`; blanks around it do not
 * count. Undefined for anything else: NaN, infinities, hexadecimal, and what no double can hold.
 *
 * Texts become doubles by the same rounding, wherever they come from, and a double is never made of
 * others here: a value and a threshold that are written alike are equal.
 */
export function parseDecimal(text: string): number | undefined {
  if (text.length > longest || !pattern.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

const longest = 100;
const pattern = /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?\s*$/;
