const longestHeader = 16 * 1024;

/** Why a text can be no value of a header (RFC 9110, section 5.5): a clause; undefined when it can. */
export function headerValueProblem(value: string): string | undefined {
  if (value.length > longestHeader) return `has more than ${longestHeader} characters`;
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
    ? undefined
    : 'has a value that no header can have';
}
