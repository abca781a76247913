import { SopsProblem } from './decryption-error.ts';
import { readDotenvFile } from './dotenv-file.ts';
import { readIniFile } from './ini-file.ts';
import { readBinaryFile, readJsonFile } from './json-file.ts';
import type { SealedFile } from './tree.ts';
import { readYamlFile } from './yaml-file.ts';

/** In every file with SOPS metadata, and in few others. */
const mark = Buffer.from('sops');
const sealedMark = 'ENC[AES256_GCM,';

/** Whether it is worth to look closer. */
export function mayBeSealed(content: Uint8Array): boolean {
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength).includes(mark);
}

/**
 * Reads a file by the format that its name says, as SOPS does; a name that says none may be a dotenv
 * file, as generators of kustomize take them under any name, or one of any content in SOPS' own form.
 *
 * @returns undefined when it has no metadata; text that cannot be read has none, unless it has
 * sealed values.
 * @throws SopsProblem
 */
export function readSealedFile(path: string, content: Uint8Array): SealedFile | undefined {
  const text = textOf(content);
  if (text === undefined) return undefined;
  try {
    return read(path, text);
  } catch (error) {
    if (error instanceof SopsProblem && error.step === 'format' && !text.includes(sealedMark)) {
      return undefined;
    }
    throw error;
  }
}

function read(path: string, text: string): SealedFile | undefined {
  const [, extension = ''] = /\.([a-z]+)$/i.exec(path) ?? [];
  switch (extension.toLowerCase()) {
    case 'yaml':
    case 'yml':
      return readYamlFile(text);
    case 'json':
      return readJsonFile(text);
    case 'env':
      return readDotenvFile(text);
    case 'ini':
      return readIniFile(text);
    default:
      if (/^\s*\{/.test(text)) return readBinaryFile(text);
      return /^sops_mac=ENC\[/m.test(text) ? readDotenvFile(text) : undefined;
  }
}

/** SOPS writes UTF-8 only. */
function textOf(content: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    return undefined;
  }
}
