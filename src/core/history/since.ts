import { parseDuration } from '../duration.ts';
import { type Instant, instant } from '../time.ts';
import { formats } from '../validate/formats.ts';

/**
 * The instant that `since` means: a time as RFC 3339 has it, or a duration before now as Go has it,
 * such as `24h` or `1h30m`. Undefined where it is neither, or a duration that is not positive.
 */
export function sinceOf(text: string, now: Instant): Instant | undefined {
  if (formats['date-time'].validate(text)) return instant(Date.parse(text.replace(',', '.')));
  try {
    const span = parseDuration(text);
    return span > 0 ? instant(now - span) : undefined;
  } catch {
    return undefined;
  }
}
