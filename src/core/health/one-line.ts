const longest = 500;

/** A text that somebody else wrote, on one line and cut. */
export function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= longest ? line : `${line.slice(0, longest).trimEnd()}...`;
}
