import { isJsonObject } from '../validate/json-object.ts';
import { byGoYamlOrder } from './go-yaml-order.ts';
import { ScalarWriter, styleOf } from './go-yaml-scalars.ts';

/** A key that is longer, in bytes, is written in another form (`? key`). */
const longestSimpleKey = 128;

/**
 * An object as the YAML text that kustomize writes for it: block style, sorted keys, sequences not
 * indented, quotes only where go-yaml v2 needs them, lines folded after 80 columns. Post-build
 * substitution works on that text, so that what a variable's value turns into depends on the quotes
 * and the line breaks around it (part A 4.5).
 *
 * @returns undefined where the text is not known to be the same: for keys of more than 128 bytes or
 * with line breaks, for the key `<<`, and for line separators of Unicode. kustomize must be asked then.
 */
export function blockYaml(object: unknown): string | undefined {
  const writer = new BlockWriter();
  return writer.write(object) ? writer.text : undefined;
}

/** Not `<<` either, which kustomize drops. */
function isSimpleKey(key: string): boolean {
  if (key === '<<' || /[\n\r\u0085\u2028\u2029]/.test(key)) return false;
  return Buffer.byteLength(key) <= longestSimpleKey;
}

class BlockWriter {
  readonly #scalars = new ScalarWriter();

  get text(): string {
    return this.#scalars.text;
  }

  write(object: unknown): boolean {
    return isJsonObject(object) ? this.#mapping(object, 0) : false;
  }

  /** The entries of a mapping, the first one where the line stands now. */
  #mapping(mapping: Readonly<Record<string, unknown>>, indent: number): boolean {
    return Object.keys(mapping)
      .sort(byGoYamlOrder)
      .every((key) => {
        if (!isSimpleKey(key)) return false;
        this.#scalars.startLine(indent);
        this.#scalars.write(key, styleOf(key, 'Key'), undefined);
        this.#scalars.put(':');
        return this.#value(mapping[key], indent, 'AfterKey');
      });
  }

  #sequence(items: readonly unknown[], indent: number): boolean {
    return items.every((item) => {
      this.#scalars.startLine(indent);
      this.#scalars.put('-');
      return this.#value(item, indent, 'AfterDash');
    });
  }

  /** What follows a key or a dash that stands at `indent`. */
  #value(value: unknown, indent: number, place: 'AfterKey' | 'AfterDash'): boolean {
    if (Array.isArray(value)) {
      if (value.length === 0) return this.#verbatim('[]');
      return this.#sequence(value as unknown[], place === 'AfterKey' ? indent : indent + 2);
    }
    if (isJsonObject(value)) {
      if (Object.keys(value).length === 0) return this.#verbatim('{}');
      return this.#mapping(value, indent + 2);
    }
    if (typeof value !== 'string') return this.#verbatim(JSON.stringify(value));
    if (/[\u2028\u2029]/.test(value)) return false;
    this.#scalars.put(' ');
    this.#scalars.write(value, styleOf(value, 'Value'), indent + 2);
    return true;
  }

  #verbatim(text: string): boolean {
    this.#scalars.put(` ${text}`);
    return true;
  }
}
