import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** A key inside of a key service: it seals small things, bound to what is said about them. */
export class ServiceKey {
  readonly #key = randomBytes(32);

  seal(plain: Uint8Array, about = ''): Buffer {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(about));
    const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
  }

  /** Undefined when it was not sealed here, or for something else. */
  open(sealed: Uint8Array, about = ''): Buffer | undefined {
    const bytes = Buffer.from(sealed);
    if (bytes.byteLength < 28) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, 12));
    decipher.setAAD(Buffer.from(about)).setAuthTag(bytes.subarray(12, 28));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
    } catch {
      return undefined;
    }
  }
}
