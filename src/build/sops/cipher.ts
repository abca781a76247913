import { createDecipheriv } from 'node:crypto';
import { SopsProblem } from './decryption-error.ts';
import { formatFloat } from './go-numbers.ts';
import { type PlainValue, utf8 } from './tree.ts';

/** Bytes of a data key: AES-256. */
export const dataKeySize = 32;

const tagSize = 16;

const base64 = '([A-Za-z0-9+/]+={0,2})';
const sealedForm = new RegExp(
  `^ENC\\[AES256_GCM,data:${base64},iv:${base64},tag:${base64},type:([a-z]+)\\]$`,
);

/**
 * Opens a value that SOPS has sealed with AES-256-GCM: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.
 * The empty text stands for itself.
 *
 * @throws SopsProblem when it has another form, or is not sealed with this key at this place.
 */
export function open(sealed: string, key: Uint8Array, additionalData: string): PlainValue {
  if (sealed === '') return { kind: 'Text', bytes: new Uint8Array() };
  const [, data = '', iv = '', tag = '', type = ''] = sealedForm.exec(sealed) ?? [];
  if (type === '') throw new SopsProblem('values', 'a value is not encrypted and should be');
  return valueOf(decrypt({ data, iv, tag }, key, additionalData), type);
}

function decrypt(
  { data, iv, tag }: { readonly data: string; readonly iv: string; readonly tag: string },
  key: Uint8Array,
  additionalData: string,
): Buffer {
  const authTag = Buffer.from(tag, 'base64');
  // A shorter one would be easier to guess.
  if (authTag.byteLength !== tagSize) throw notAuthentic();
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64'), {
      authTagLength: tagSize,
    });
    decipher.setAAD(Buffer.from(additionalData, 'utf8'));
    decipher.setAuthTag(authTag);
    return Buffer.concat([decipher.update(Buffer.from(data, 'base64')), decipher.final()]);
  } catch {
    throw notAuthentic();
  }
}

function notAuthentic(): SopsProblem {
  return new SopsProblem('values', 'a value was changed, moved, or sealed with another data key');
}

function valueOf(bytes: Buffer, type: string): PlainValue {
  const text = utf8(bytes);
  switch (type) {
    case 'str':
    case 'bytes':
      return { kind: 'Text', bytes };
    case 'comment':
      return { kind: 'Comment', bytes };
    case 'int':
      if (/^[+-]?[0-9]{1,19}$/.test(text)) return { kind: 'Integer', value: BigInt(text) };
      break;
    case 'float':
      if (/^[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?$/.test(text) && Number.isFinite(Number(text))) {
        return { kind: 'Float', value: Number(text) };
      }
      break;
    case 'bool':
      if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return { kind: 'Boolean', value: true };
      if (/^(?:0|f|F|FALSE|false|False)$/.test(text)) return { kind: 'Boolean', value: false };
      break;
    case 'time':
      if (/^[0-9TZ:.+-]{20,40}$/.test(text)) return { kind: 'Time', text };
      break;
  }
  throw new SopsProblem('values', 'a value is not of the type that it is said to be');
}

/** The bytes of a value that count for the MAC. */
export function macBytes(value: PlainValue): Uint8Array | string {
  switch (value.kind) {
    case 'Text':
    case 'Comment':
      return value.bytes;
    case 'Integer':
      return value.value.toString();
    case 'Float':
      return formatFloat(value.value, 'f');
    case 'Boolean':
      // As the first SOPS, in Python, had it.
      return value.value ? 'True' : 'False';
    case 'Time':
      return value.text;
  }
}
