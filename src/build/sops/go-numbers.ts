/** Forms of Go's `strconv.FormatFloat` with the shortest digits that read back the same. */
export type FloatForm = 'f' | 'g' | 'G';

/** A double as Go writes it: `f` never has an exponent, `g` has one below 1e-4 and from 1e6 on. */
export function formatFloat(value: number, form: FloatForm): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const [digits, exponent] = shortest(Math.abs(value));
  if (form !== 'f' && (exponent < -4 || exponent >= 6)) {
    return sign + scientific(digits, exponent, form === 'G' ? 'E' : 'e');
  }
  return sign + plain(digits, exponent);
}

/** The digits, and the power of ten of the first one. */
function shortest(value: number): [digits: string, exponent: number] {
  const [mantissa = '0', exponent = '0'] = value.toExponential().split('e');
  return [mantissa.replace('.', ''), Number(exponent)];
}

function scientific(digits: string, exponent: number, letter: string): string {
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
  const sign = exponent < 0 ? '-' : '+';
  return `${digits[0] ?? '0'}${fraction}${letter}${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function plain(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = digits.slice(exponent + 1);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
