const pattern = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/;

/** The number that a decimal string such as `0.05` stands for; undefined where it is none. */
export function decimalOf(text: string): number | undefined {
  if (text.length > 64 || !pattern.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
