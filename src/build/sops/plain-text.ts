import { formatFloat } from './go-numbers.ts';
import type { PlainValue } from './tree.ts';

/** A value in the formats that know text only (Go: `stores.ValToString`). */
export function plainText(value: PlainValue): Buffer {
  switch (value.kind) {
    case 'Text':
    case 'Comment':
      return Buffer.from(value.bytes);
    case 'Integer':
      return Buffer.from(value.value.toString());
    case 'Float': {
      const text = formatFloat(value.value, 'G');
      // Else it would be read as an integer.
      return Buffer.from(/[.E]/.test(text) ? text : `${text}.0`);
    }
    case 'Boolean':
      return Buffer.from(String(value.value));
    case 'Time':
      return Buffer.from(value.text.replace(/\.\d+/, ''));
  }
}
