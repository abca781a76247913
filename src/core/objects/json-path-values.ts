import type { Segment, Selector } from './json-path.ts';
import { passesFilter, type Step } from './json-path-filter.ts';

/** Values that are looked at, those in filters too. A document may be a megabyte of brackets. */
const mostSteps = 100_000;

export type FoundValues =
  | { readonly kind: 'Values'; readonly values: readonly unknown[] }
  /** The search was given up: there was too much to look at. */
  | { readonly kind: 'TooMany' };

/** The values that a path leads to in a JSON document, in the order of the document (RFC 9535). */
export function valuesAt(segments: readonly Segment[], root: unknown): FoundValues {
  const budget = new Budget();
  try {
    let values: readonly unknown[] = [root];
    for (const segment of segments) values = stepDown(segment, values, { root, budget });
    return { kind: 'Values', values };
  } catch (error) {
    if (error instanceof Spent) return { kind: 'TooMany' };
    throw error;
  }
}

class Spent extends Error {}

class Budget {
  #left = mostSteps;

  spend(): void {
    this.#left -= 1;
    if (this.#left < 0) throw new Spent();
  }
}

interface Search {
  readonly root: unknown;
  readonly budget: Budget;
}

function stepDown(
  { deep, selectors }: Segment,
  values: readonly unknown[],
  search: Search,
): unknown[] {
  const found: unknown[] = [];
  for (const value of values) {
    for (const each of deep ? withDescendants(value, search) : [value]) {
      for (const selector of selectors) select(selector, each, search, found);
    }
  }
  return found;
}

/** A value and all below it, each before its children. Not recursive: a document may be any depth. */
function withDescendants(value: unknown, { budget }: Search): unknown[] {
  const found: unknown[] = [];
  const waiting = [value];
  while (waiting.length > 0) {
    budget.spend();
    const next = waiting.pop();
    found.push(next);
    for (const child of childrenOf(next, budget).reverse()) waiting.push(child);
  }
  return found;
}

function select(selector: Selector, value: unknown, search: Search, found: unknown[]): void {
  const { budget } = search;
  budget.spend();
  switch (selector.kind) {
    case 'Name':
    case 'Index': {
      const child = childAt(value, selector.kind === 'Name' ? selector.name : selector.index);
      if (child !== undefined) found.push(child);
      return;
    }
    case 'All':
      for (const child of childrenOf(value, budget)) found.push(child);
      return;
    case 'Slice':
      if (!Array.isArray(value)) return;
      for (const child of slice(value, selector, budget)) found.push(child);
      return;
    case 'Filter':
      for (const item of childrenOf(value, budget)) {
        const passes = passesFilter(selector.expression, {
          find: ({ from, steps }) => followed(from === 'Root' ? search.root : item, steps, budget),
        });
        if (passes) found.push(item);
      }
  }
}

function followed(from: unknown, steps: readonly Step[], budget: Budget): unknown {
  budget.spend();
  let value = from;
  for (const step of steps) {
    budget.spend();
    value = childAt(value, step);
  }
  return value;
}

/** A child by its name or index; undefined, which JSON has no value for, where there is none. */
function childAt(value: unknown, step: Step): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  if (typeof step === 'number') return Array.isArray(value) ? value.at(step) : undefined;
  if (Array.isArray(value) || !Object.hasOwn(value, step)) return undefined;
  return Object.getOwnPropertyDescriptor(value, step)?.value;
}

function childrenOf(value: unknown, budget: Budget): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  const children: unknown[] = [];
  for (const child of Object.values(value)) {
    budget.spend();
    children.push(child);
  }
  return children;
}

/** RFC 9535, 2.3.4.2. */
function slice(
  list: readonly unknown[],
  { start, end, step }: Extract<Selector, { kind: 'Slice' }>,
  budget: Budget,
): unknown[] {
  const { length } = list;
  const by = step ?? 1;
  if (by === 0) return [];
  const [lowest, highest] = by > 0 ? [0, length] : [-1, length - 1];
  const place = (given: number | null, otherwise: number): number => {
    if (given === null) return otherwise;
    return Math.min(Math.max(given < 0 ? length + given : given, lowest), highest);
  };
  const first = place(start, by > 0 ? lowest : highest);
  const last = place(end, by > 0 ? highest : lowest);
  const found: unknown[] = [];
  for (let index = first; by > 0 ? index < last : index > last; index += by) {
    budget.spend();
    found.push(list[index]);
  }
  return found;
}
