const redacted = '[redacted]';

/** Shorter values are found everywhere and are no secret worth the name. */
const shortestValue = 6;

/** A line of a value is looked for only where it says something. */
const shortestLine = 8;

/** More than a condition holds: what is behind it is cut off anyway. */
const longestText = 65_536;

/** Looking for more takes too long; then nothing is quoted at all. */
const mostForms = 10_000;

/**
 * A message without the values of Secrets that went into what it is about: as they are, line by line,
 * as JSON and Go quote them, and in base64. API servers and parsers quote what they refuse. Values of
 * fewer than 6 characters stay.
 */
export function redact(text: string, secrets: ReadonlySet<string>): string {
  const forms = formsOf(secrets);
  if (forms === undefined) return 'the message is withheld, since it may quote values of Secrets';
  return forms.reduce((left, form) => left.replaceAll(form, redacted), text.slice(0, longestText));
}

/** What to look for, longest first; undefined when that is too much. */
function formsOf(secrets: ReadonlySet<string>): string[] | undefined {
  const forms = new Set<string>();
  for (const secret of secrets) {
    const value = secret.trim();
    if (value.length < shortestValue) continue;
    const lines = value.split('\n', mostForms).map((line) => line.trim());
    for (const form of [value, ...lines.filter(({ length }) => length >= shortestLine)]) {
      forms.add(form);
      forms.add(JSON.stringify(form).slice(1, -1));
    }
    forms.add(Buffer.from(secret).toString('base64'));
    if (forms.size > mostForms) return undefined;
  }
  return [...forms].sort((one, other) => other.length - one.length);
}
