/** Milliseconds. */
interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export function quantiles(times: readonly number[]): Quantiles {
  const sorted = [...times].sort((one, other) => one - other);
  const at = (share: number): number => {
    const time = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
    return Math.round(time * 10) / 10;
  };
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
