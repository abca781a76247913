import type { JsonObject, KubernetesObject } from '../../types/kubernetes.ts';
import { isJsonObject } from '../validate/json-object.ts';

/**
 * Whether a live object has all that a rendered one says, and nothing more of what `ours` once
 * applied: what can be told without asking the server. What the server adds by itself does not
 * count, nor how it spells quantities. It can be wrong where a webhook changes what was rendered;
 * only a dry-run tells for sure.
 */
export function isAsRendered(
  live: KubernetesObject,
  rendered: KubernetesObject,
  ours: string,
): boolean {
  if (!covers(live, rendered)) return false;
  const claims = (live.metadata.managedFields ?? [])
    .filter(isJsonObject)
    .filter(({ manager, operation }) => manager === ours && operation === 'Apply')
    .map(({ fieldsV1 }) => fieldsV1)
    .filter(isJsonObject);
  return claims.every((fields) => holdsAll(rendered, fields));
}

function covers(live: unknown, rendered: unknown): boolean {
  if (isEmpty(rendered)) return isEmpty(live) || live === undefined || isJsonObject(live);
  if (isJsonObject(rendered)) {
    if (!isJsonObject(live)) return false;
    return Object.entries(rendered).every(([name, value]) => covers(live[name], value));
  }
  if (Array.isArray(rendered)) {
    if (!Array.isArray(live) || live.length !== rendered.length) return false;
    return rendered.every((item, index) => covers(live[index], item));
  }
  return live === rendered || isSameQuantity(live, rendered);
}

/** The server drops what says nothing. */
function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isJsonObject(value) && Object.keys(value).length === 0;
}

/** Whether the rendered value has every field that a field set (`fieldsV1`, KEP-555) names. */
function holdsAll(rendered: unknown, fields: JsonObject): boolean {
  return Object.entries(fields).every(([name, below]) => {
    const member = name.startsWith('f:') ? memberOf(rendered, name.slice(2)) : undefined;
    if (name.startsWith('f:')) {
      return member !== undefined && (!isJsonObject(below) || holdsAll(member, below));
    }
    if (!name.startsWith('k:')) return true;
    const item = itemOf(rendered, name.slice(2));
    return item !== undefined && (!isJsonObject(below) || holdsAll(item, below));
  });
}

function memberOf(value: unknown, name: string): unknown {
  return isJsonObject(value) ? value[name] : undefined;
}

/** Keys with a default, such as the protocol of a port, may be left out where the item is written. */
function itemOf(list: unknown, keyText: string): unknown {
  let key: unknown;
  try {
    key = JSON.parse(keyText);
  } catch {
    return undefined;
  }
  if (!isJsonObject(key) || !Array.isArray(list)) return undefined;
  const wanted = Object.entries(key);
  return list.find(
    (item: unknown) =>
      isJsonObject(item) &&
      wanted.every(([name, value]) => item[name] === undefined || item[name] === value) &&
      wanted.some(([name]) => item[name] !== undefined),
  );
}

const quantity = /^([+-]?\d+(?:\.\d+)?)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/;
const factors: Readonly<Record<string, number>> = {
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Quantities have many spellings; the server keeps the shortest. */
function isSameQuantity(one: unknown, other: unknown): boolean {
  const [first, second] = [amountOf(one), amountOf(other)];
  return first !== undefined && first === second;
}

function amountOf(value: unknown): number | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const found = quantity.exec(String(value));
  if (found === null) return undefined;
  return Number(found[1]) * (factors[found[2] ?? ''] ?? 1);
}
