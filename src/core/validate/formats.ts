/**
 * Formats of CRD schemas as the API server understands them (kube-openapi), for ajv. A format
 * says nothing about values of another type.
 */
export const formats = {
  'date-time': { type: 'string', validate: isDateTime },
  int32: { type: 'number', validate: isInt32 },
  int64: { type: 'number', validate: Number.isSafeInteger },
} as const;

const dateTime =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:[.,]\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** RFC 3339 with a day that exists; a leap second is refused, as Go's parser refuses it. */
function isDateTime(text: string): boolean {
  const [, year, month, day, hour, minute, second] = (dateTime.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined) return false;
  const calendar = new Date(0);
  calendar.setUTCFullYear(year, month - 1, day);
  const exists = calendar.getUTCMonth() === month - 1 && calendar.getUTCDate() === day;
  return exists && Number(hour) <= 23 && Number(minute) <= 59 && Number(second) <= 59;
}

function isInt32(value: number): boolean {
  return value >= -0x8000_0000 && value <= 0x7fff_ffff;
}
