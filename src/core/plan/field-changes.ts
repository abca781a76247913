import type { FieldChange } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { KubernetesObject } from '../../types/kubernetes.ts';
import { canonicalJson } from '../canonical-json.ts';
import { differingFields } from '../drift/changed-fields.ts';
import { redact } from '../redact.ts';
import { isJsonObject } from '../validate/json-object.ts';

/** Fields of one object that a plan shows. */
const mostFields = 100;

/** Characters of a value as JSON; a longer one is cut and shown as text. */
const longestValue = 1024;

/** What stands for a value that is not to be told. */
export const masked = '***';

/** What `kubectl apply` remembers is the whole object, secrets included. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** Whether an apply by `ours` would write the object, be it only to own a field. */
export function differsFrom(
  before: KubernetesObject,
  after: KubernetesObject,
  ours: string,
): boolean {
  if (differingFields(before, after, ours, 1).length > 0) return true;
  return ownFields(before, ours) !== ownFields(after, ours);
}

function ownFields({ metadata }: KubernetesObject, ours: string): string {
  const entries = (metadata.managedFields ?? []).filter(isJsonObject);
  const own = entries.filter(({ manager, operation }) => manager === ours && operation === 'Apply');
  return canonicalJson(own.map(({ fieldsV1 }) => fieldsV1 ?? {}));
}

/**
 * The fields that would change, with their values. What a Secret holds shows as `***` on both sides,
 * and so does every value of a Secret that was put into a manifest.
 */
export function fieldChanges(
  before: KubernetesObject,
  after: KubernetesObject,
  ours: string,
  secrets: ReadonlySet<string>,
): FieldChange[] {
  const secret = before.apiVersion === 'v1' && before.kind === 'Secret';
  return differingFields(before, after, ours, mostFields).map(({ path, from, to }) => {
    const mask = (value: unknown): unknown => shown(value, path, secret, secrets);
    return {
      path,
      ...(from === undefined ? {} : { from: mask(from) }),
      ...(to === undefined ? {} : { to: mask(to) }),
    };
  });
}

function shown(
  value: unknown,
  path: string,
  secret: boolean,
  secrets: ReadonlySet<string>,
): unknown {
  if (secret && /^(data|stringData)\b/.test(path)) return masked;
  if (path.includes(lastApplied)) return masked;
  const safe = withoutSecrets(value, secrets);
  const text = JSON.stringify(safe);
  return text.length > longestValue ? `${text.slice(0, longestValue)}... (cut)` : safe;
}

function withoutSecrets(value: unknown, secrets: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, secrets));
  if (isJsonObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        name,
        name === lastApplied ? masked : withoutSecrets(member, secrets),
      ]),
    );
  }
  // The whole value, however short it is; parts of a text only where they say something.
  if (secrets.size === 0) return value;
  if (typeof value === 'number' || typeof value === 'boolean') {
    return secrets.has(String(value)) ? masked : value;
  }
  if (typeof value !== 'string') return value;
  return secrets.has(value) ? masked : redact(value, secrets).replaceAll('[redacted]', masked);
}
