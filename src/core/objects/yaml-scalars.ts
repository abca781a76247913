/**
 * Whose reading of plain scalars counts. Both read `0644` as 420 and `12:30:45` as text; they differ
 * on the words of YAML 1.1 and on dates:
 *
 * - `Kustomize`: how kustomize reads manifests (go-yaml v3). `yes`, `on`, `y` are text.
 * - `Kubernetes`: how kubectl and kustomization files are read (sigs.k8s.io/yaml, go-yaml v2).
 *   `yes`, `on`, `y` are true.
 */
export type YamlDialect = 'Kustomize' | 'Kubernetes';

/**
 * A plain scalar's value. `Integer` keeps its digits, since not every int64 is a JSON number that
 * JavaScript can hold; `Date` is text to Kubernetes and is rewritten by kustomize; `Unrepresentable`
 * has no JSON (`.inf`, `.nan`).
 */
export type PlainScalar =
  | { readonly kind: 'Value'; readonly value: string | number | boolean | null }
  | { readonly kind: 'Integer'; readonly value: bigint }
  | { readonly kind: 'Date' }
  | { readonly kind: 'Unrepresentable' };

const constants: ReadonlyMap<string, boolean | null> = new Map<string, boolean | null>([
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
]);

const oldBooleans: ReadonlyMap<string, boolean> = new Map([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
]);

const unrepresentable = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const date =
  /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)| \d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?)?$/;

const smallest = -(2n ** 63n);
const largest = 2n ** 64n - 1n;

/** What an unquoted, untagged scalar means (go-yaml's resolution, both versions). */
export function readPlainScalar(source: string, dialect: YamlDialect): PlainScalar {
  const constant = constants.get(source);
  if (constant !== undefined) return { kind: 'Value', value: constant };
  const oldBoolean = dialect === 'Kubernetes' ? oldBooleans.get(source) : undefined;
  if (oldBoolean !== undefined) return { kind: 'Value', value: oldBoolean };
  if (!/^[-+.\d]/.test(source)) return { kind: 'Value', value: source };
  if (unrepresentable.test(source)) return { kind: 'Unrepresentable' };
  if (date.test(source)) return { kind: 'Date' };
  return numberOf(source) ?? { kind: 'Value', value: source };
}

function numberOf(source: string): PlainScalar | undefined {
  const plain = source.replaceAll('_', '');
  const integer = integerOf(plain);
  if (integer !== undefined && integer >= smallest && integer <= largest) {
    return { kind: 'Integer', value: integer };
  }
  if (!float.test(plain)) return undefined;
  const value = Number(plain);
  return Number.isFinite(value) ? { kind: 'Value', value } : undefined;
}

/** Go's integer literals with a base prefix; a leading zero means octal. */
function integerOf(plain: string): bigint | undefined {
  const [, sign, digits] =
    /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[1-9][0-9]*|0)$/.exec(plain) ?? [];
  if (digits === undefined) return undefined;
  const octal = /^0[oO]?([0-7]+)$/.exec(digits)?.[1];
  const magnitude = BigInt(octal === undefined ? digits : `0o${octal}`);
  return sign === '-' ? -magnitude : magnitude;
}
