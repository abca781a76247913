/** A log line as parsed JSON. */
export type LogLine = Readonly<Record<string, unknown>>;

/**
 * One line for reading: time, level, logger, message, then `name=value` in the order logged.
 * Values with spaces, quotes or control characters are quoted as JSON, so that a line stays one.
 */
export function formatText(line: LogLine): string {
  const { time, level, logger, msg, ...fields } = line;
  const head = [
    plain(time),
    plain(level).toUpperCase().padEnd(5),
    ...(logger === undefined ? [] : [`${plain(logger)}:`]),
    oneLine(plain(msg)),
  ];
  const tail = Object.entries(fields).map(([name, value]) => `${name}=${valueText(value)}`);
  return `${[...head, ...tail].join(' ')}\n`;
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function valueText(value: unknown): string {
  if (typeof value === 'string' && /^[\w./:@+,-]+$/.test(value)) return value;
  return oneLine(JSON.stringify(value));
}

/** JSON leaves DEL, C1 controls and two line separators as they are; a terminal does not. */
function oneLine(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\u2028\u2029]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
