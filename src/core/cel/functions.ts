import type { ValueType } from './syntax.ts';

/** What a call costs, in the terms of `cost.ts`. */
type CallCost =
  | 'Constant'
  /** Grows with the operands. */
  | 'Linear'
  /** Grows with one operand times the other. */
  | 'Search'
  /** A regular expression, whose own size may be anything. */
  | 'Pattern';

interface StandardFunction {
  /** `Operand` gives what its operands are, where those are known. */
  readonly result: ValueType | 'Operand';
  readonly cost: CallCost;
  readonly forms: readonly ('Function' | 'Method')[];
  /** Whether it takes bools only. */
  readonly takes: 'Bools' | 'Any';
}

type Row = readonly [
  names: string,
  result: StandardFunction['result'],
  cost: CallCost,
  forms?: 'Both' | 'Method',
];

const rows: readonly Row[] = [
  ['_&&_ _||_ !_ @not_strictly_false', 'bool', 'Constant'],
  ['_==_ _!=_ _<_ _<=_ _>_ _>=_ @in', 'bool', 'Linear'],
  ['_+_', 'Operand', 'Linear'],
  ['_-_ _*_ _/_ _%_ -_', 'Operand', 'Constant'],
  ['_?_:_ _[_]', 'dyn', 'Constant'],
  ['size', 'int', 'Linear', 'Both'],
  ['contains startsWith endsWith', 'bool', 'Search', 'Method'],
  ['matches', 'bool', 'Pattern', 'Both'],
  ['int', 'int', 'Linear'],
  ['uint', 'uint', 'Linear'],
  ['double', 'double', 'Linear'],
  ['string', 'string', 'Linear'],
  ['bytes', 'bytes', 'Linear'],
  ['bool', 'bool', 'Linear'],
  ['timestamp', 'timestamp', 'Linear'],
  ['duration', 'duration', 'Linear'],
  ['type', 'type', 'Constant'],
  ['dyn', 'dyn', 'Constant'],
  ['getFullYear getMonth getDayOfYear getDayOfMonth getDate', 'int', 'Linear', 'Method'],
  ['getDayOfWeek getHours getMinutes getSeconds getMilliseconds', 'int', 'Linear', 'Method'],
];

const bools = new Set(['_&&_', '_||_', '!_']);

/** The functions and operators of CEL's standard library, by name. */
export const standardFunctions: ReadonlyMap<string, StandardFunction> = new Map(
  rows.flatMap(([names, result, cost, forms]) =>
    names.split(' ').map((name) => {
      const takes: 'Bools' | 'Any' = bools.has(name) ? 'Bools' : 'Any';
      return [name, { result, cost, forms: formsOf(forms), takes }] as const;
    }),
  ),
);

function formsOf(forms: 'Both' | 'Method' | undefined): readonly ('Function' | 'Method')[] {
  if (forms === undefined) return ['Function'];
  return forms === 'Method' ? ['Method'] : ['Function', 'Method'];
}

/** Names of types, which are values too: `type(x) == string`. */
export const typeNames: ReadonlySet<string> = new Set(
  'bool bytes double int list map null_type string type uint'.split(' '),
);
