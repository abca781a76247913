import { shapeOf } from '../validate/field-path.ts';
import type { CronCalendar } from './cron-calendar.ts';

/**
 * A schedule whose text is right, rewritten so that no two readers of cron can differ about it: each
 * field is one range with a step, or a list of numbers in which each is once.
 */
export interface CronText {
  /** Of a prefix `TZ=` or `CRON_TZ=`; it counts more than a zone that is given elsewhere. */
  readonly timeZone: string | undefined;
  /** Minute, hour, day of month, month, day of week. */
  readonly fields: readonly string[];
  readonly match: CronCalendar['match'];
}

/** What is wrong with a schedule and what to do; it never repeats the text. */
export interface CronRefusal {
  readonly message: string;
}

interface FieldKind {
  readonly name: string;
  readonly lowest: number;
  readonly highest: number;
  readonly names: readonly string[];
}

/** `a-b/n`; a value alone is a range of one. */
interface Item {
  readonly low: number;
  readonly high: number;
  readonly step: number;
}

const monthNames = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ');
const dayNames = 'SUN MON TUE WED THU FRI SAT'.split(' ');

const kinds: readonly FieldKind[] = [
  { name: 'minute', lowest: 0, highest: 59, names: [] },
  { name: 'hour', lowest: 0, highest: 23, names: [] },
  { name: 'day of month', lowest: 1, highest: 31, names: [] },
  { name: 'month', lowest: 1, highest: 12, names: monthNames },
  { name: 'day of week', lowest: 0, highest: 6, names: dayNames },
];

const descriptors: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);

/** Characters; every start of a day can be listed in fewer. */
const longest = 1_024;

const example = 'such as 0 22 * * MON-FRI';

/** Checks a schedule against the grammar of part B 1.2. */
export function readCronText(text: string): CronText | CronRefusal {
  if (text.length > longest) {
    return refusal(`has ${text.length} characters; at most ${longest} are allowed`);
  }
  const trimmed = text.trim();
  const [prefix = '', timeZone] = /^(?:CRON_)?TZ=(\S*)/.exec(trimmed) ?? [];
  const rest = trimmed.slice(prefix.length).trim();
  if (timeZone === '') {
    return refusal('has no name behind TZ=; write an IANA time zone there, such as Europe/Berlin');
  }
  const plain = rest.startsWith('@') ? descriptors.get(rest) : rest;
  if (plain === undefined) return descriptorRefusal(rest);
  const texts = plain.split(/\s+/).filter((field) => field !== '');
  if (texts.length !== kinds.length) return countRefusal(text, texts.length);
  const fields = kinds.map((kind, index) => readField(kind, texts[index] ?? ''));
  const wrong = fields.find((field) => 'message' in field);
  if (wrong !== undefined) return wrong;
  const [, , monthDay = '', , weekDay = ''] = texts;
  const match = isRestricted(monthDay) && isRestricted(weekDay) ? 'Either' : 'Both';
  return {
    timeZone,
    fields: fields.flatMap((field) => ('text' in field ? [field.text] : [])),
    match,
  };
}

function descriptorRefusal(text: string): CronRefusal {
  if (text.startsWith('@every')) {
    return refusal(
      'begins with @every, which counts from the moment that it is asked and so never opens a window; ' +
        'write the five fields, such as 0 */4 * * * for every four hours',
    );
  }
  const known = [...descriptors.keys()].join(', ');
  return refusal(`begins with @ and is none of ${known}; write one of them or the five fields`);
}

function countRefusal(text: string, count: number): CronRefusal {
  const found = text.trim() === '' ? `is ${shapeOf(text)}` : `has ${count} of them`;
  return refusal(
    `must have five fields (minute, hour, day of month, month, day of week) and ${found}; ` +
      `write five, ${example}`,
  );
}

/** A star asks for nothing, among other items too; with a step above one it is no star any more. */
function isRestricted(field: string): boolean {
  return !field.split(',').some((item) => /^[*?](?:\/0*1)?$/.test(item));
}

function readField(kind: FieldKind, text: string): { readonly text: string } | CronRefusal {
  const items = text.split(',').map((item) => readItem(kind, item));
  const wrong = items.find((item) => typeof item === 'string');
  if (wrong !== undefined) {
    return refusal(
      `has ${shapeOf(text)} as its ${kind.name}, which ${wrong}; write five fields, ${example}`,
    );
  }
  const ranges = items.filter((item) => typeof item !== 'string');
  const [only] = ranges;
  if (only !== undefined && ranges.length === 1) {
    return { text: `${only.low}-${only.high}/${only.step}` };
  }
  return { text: [...new Set(ranges.flatMap(valuesOf))].join(',') };
}

/** What is wrong as a string, to follow on "which". */
function readItem(kind: FieldKind, text: string): Item | string {
  if (/#|^(?:\d*[LW]|LW)$/i.test(text)) return 'uses L, W or #: they are not understood here';
  const [, star, first, last, stepText] =
    /^(?:([*?])|([A-Za-z]+|\d+)(?:-([A-Za-z]+|\d+))?)(?:\/(\d+))?$/.exec(text) ?? [];
  if (star === undefined && first === undefined) {
    return text === ''
      ? 'is empty between commas'
      : 'is none of *, a value, a range a-b, or one of these with a step /n';
  }
  const given = stepText === undefined ? 1 : Number(stepText);
  if (given === 0) return 'has step 0: it leads nowhere';
  const { lowest, highest } = kind;
  const step = Math.min(given, highest - lowest + 1);
  if (first === undefined) return { low: lowest, high: highest, step };
  const low = valueOf(kind, first);
  // A value with a step goes on to the end of the field.
  const open = stepText === undefined ? low : highest;
  const high = last === undefined ? open : valueOf(kind, last);
  if (low === undefined || high === undefined) return `is outside of ${describeRange(kind)}`;
  if (low <= high) return { low, high, step };
  return 'is a range whose end comes before its start: write it as two, with a comma';
}

function describeRange({ name, lowest, highest, names }: FieldKind): string {
  const first = names[0];
  const words = first === undefined ? '' : ` or ${first} to ${names.at(-1) ?? first}`;
  const sunday = name === 'day of week' ? ' (Sunday is 0)' : '';
  return `${lowest} to ${highest}${words}${sunday}`;
}

function valueOf({ lowest, highest, names }: FieldKind, text: string): number | undefined {
  if (!/^\d/.test(text)) {
    const index = names.indexOf(text.toUpperCase());
    return index === -1 ? undefined : lowest + index;
  }
  const value = Number(text);
  return value >= lowest && value <= highest ? value : undefined;
}

function valuesOf({ low, high, step }: Item): number[] {
  const values: number[] = [];
  for (let value = low; value <= high; value += step) values.push(value);
  return values;
}

function refusal(message: string): CronRefusal {
  return { message };
}
