import { SopsProblem } from './decryption-error.ts';

/**
 * Puts a secret together from its shares (Shamir, over GF(2^8) with the polynomial of AES, as in
 * Vault): each share is as long as the secret and ends in one byte more, its x coordinate.
 *
 * @throws SopsProblem when the shares do not belong together.
 */
export function combineShares(shares: readonly Uint8Array[]): Uint8Array {
  const size = shares[0]?.byteLength ?? 0;
  const xs = shares.map((share) => share[share.byteLength - 1] ?? 0);
  const fitting =
    shares.length >= 2 &&
    size >= 2 &&
    shares.every(({ byteLength }) => byteLength === size) &&
    new Set(xs).size === shares.length &&
    !xs.includes(0);
  if (!fitting) throw new SopsProblem('data key', 'the parts of the data key do not fit together');
  const factors = xs.map((x, index) => weight(x, xs.toSpliced(index, 1)));
  const secret = new Uint8Array(size - 1);
  for (const [index, share] of shares.entries()) {
    for (let at = 0; at < secret.length; at += 1) {
      secret[at] = (secret[at] ?? 0) ^ multiply(share[at] ?? 0, factors[index] ?? 0);
    }
  }
  return secret;
}

/** Lagrange's basis polynomial of one share at zero. */
function weight(x: number, others: readonly number[]): number {
  return others.reduce((basis, other) => multiply(basis, multiply(other, inverse(x ^ other))), 1);
}

function multiply(one: number, other: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    const carry = -(product >> 7) & 0x1b;
    product = ((product << 1) & 0xff) ^ carry ^ (-((other >> bit) & 1) & one);
  }
  return product;
}

/** The 254th power: the group has 255 elements. */
function inverse(value: number): number {
  let result = 1;
  for (let count = 0; count < 254; count += 1) result = multiply(result, value);
  return result;
}
