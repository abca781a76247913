import { SopsProblem } from './decryption-error.ts';
import type { MetadataRecord } from './tree.ts';

/** Most entries of flattened metadata, and steps of one path. */
const mostEntries = 10_000;
const longestPath = 8;

type Nested = Map<string | number, Nested | string>;

/**
 * Metadata of the formats that have no nesting: `age__list_0__map_recipient` is the field `recipient`
 * of the first item of `age`.
 *
 * @throws SopsProblem when the keys contradict each other.
 */
export function unflatten(
  entries: readonly (readonly [key: string, value: string])[],
): MetadataRecord {
  if (entries.length > mostEntries) throw problem('it has too many entries');
  const root: Nested = new Map();
  for (const [key, value] of entries) place(root, stepsOf(key), value);
  const record = plainOf(root);
  return typeof record === 'object' && record !== null ? { ...record } : {};
}

function stepsOf(key: string): (string | number)[] {
  const [first = '', ...others] = key.split(/(?=__map_|__list_)/);
  const steps = others.map((step) =>
    step.startsWith('__map_') ? step.slice(6) : indexOf(step.slice(7)),
  );
  if (steps.length >= longestPath) throw problem('it is nested too deep');
  return [first, ...steps];
}

function indexOf(text: string): number {
  if (!/^[0-9]{1,5}$/.test(text)) throw problem('the index of a list is no number');
  return Number(text);
}

function place(root: Nested, steps: readonly (string | number)[], value: string): void {
  let at = root;
  for (const step of steps.slice(0, -1)) {
    const next = at.get(step) ?? new Map<string | number, Nested | string>();
    if (typeof next === 'string') throw problem('a value is where a group of values should be');
    at.set(step, next);
    at = next;
  }
  const last = steps.at(-1) ?? '';
  if (at.has(last)) throw problem('an entry is there twice');
  at.set(last, value);
}

function plainOf(node: Nested | string): unknown {
  if (typeof node === 'string') return node;
  const keys = [...node.keys()];
  if (keys.every((key) => typeof key === 'number')) return listOf(node);
  if (keys.some((key) => typeof key === 'number')) throw problem('a list has names');
  return Object.fromEntries([...node].map(([key, value]) => [String(key), plainOf(value)]));
}

function listOf(node: Nested): unknown[] {
  return Array.from({ length: node.size }, (_, index) => {
    const item = node.get(index);
    if (item === undefined) throw problem('a list has gaps');
    return plainOf(item);
  });
}

function problem(detail: string): SopsProblem {
  return new SopsProblem('metadata', detail);
}
