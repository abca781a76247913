import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RetryableError, TerminalError } from '../../core/errors.ts';

/** The Vault of the operator. */
export interface VaultSettings {
  /** As `vaultAddress` spells it. */
  readonly address: string;
  readonly namespace: string | undefined;
  /** File with the certificates to trust, as PEM; undefined trusts the usual ones. */
  readonly caFile: string | undefined;
  /** @throws TerminalError when there is none. */
  readonly token: () => Promise<string>;
}

const largestFile = 256 * 1024;

/**
 * The token for Vault as its own tools find it: in `VAULT_TOKEN`, or else in the file `.vault-token` of
 * the home directory, where whoever renews one writes it.
 *
 * @throws TerminalError when there is none
 */
export async function vaultToken(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const variable = environment['VAULT_TOKEN']?.trim() ?? '';
  const home = environment['HOME'] ?? '';
  const token = variable === '' && home !== '' ? await tokenIn(home) : variable;
  if (/^[\x21-\x7e]{1,8192}$/.test(token)) return token;
  throw new TerminalError('the controller has no token for Vault; set VAULT_TOKEN');
}

/** @throws RetryableError when the file cannot be read. */
export async function readPem(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).slice(0, largestFile);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RetryableError(`VAULT_CACERT cannot be read: ${why}`);
  }
}

async function tokenIn(home: string): Promise<string> {
  const content = await readFile(join(home, '.vault-token'), 'utf8').catch(() => '');
  return content.slice(0, largestFile).trim();
}
