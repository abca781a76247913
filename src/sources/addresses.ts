import { isIPv4, isIPv6 } from 'node:net';

/**
 * Why no artifact may be fetched from an IP address, or undefined when it may. Private networks are
 * allowed: artifact servers live there, and network policy owns that boundary (part A 3.2).
 *
 * An IPv6 address that stands for an IPv4 one (mapped, compatible, translated, NAT64, 6to4) is judged
 * as that one too.
 */
export function forbiddenAddress(address: string): string | undefined {
  if (isIPv4(address)) return forbiddenIPv4(bytesOfIPv4(address));
  const [withoutZone = ''] = address.split('%');
  if (!isIPv6(withoutZone)) return 'not an IP address';
  return forbiddenIPv6(bytesOfIPv6(withoutZone));
}

/** Metadata services of clouds at addresses of other ranges: of Alibaba, of Azure, and of AWS by IPv6. */
const metadataServices = ['100.100.100.200', '168.63.129.16'];
const metadataServiceIPv6 = [0xfd, 0x00, 0x0e, 0xc2, ...new Array<number>(10).fill(0), 0x02, 0x54];

function forbiddenIPv4(bytes: readonly number[]): string | undefined {
  const [first = 0, second = 0] = bytes;
  if (metadataServices.includes(bytes.join('.'))) return 'the metadata service of a cloud';
  if (first === 0) return 'unspecified';
  if (first === 127) return 'loopback';
  if (first === 169 && second === 254) return 'link-local';
  if (first >= 224 && first <= 239) return 'multicast';
  return undefined;
}

function forbiddenIPv6(bytes: readonly number[]): string | undefined {
  const [first = 0, second = 0] = bytes;
  if (bytes.every((byte) => byte === 0)) return 'unspecified';
  if (bytes.slice(0, 15).every((byte) => byte === 0) && bytes[15] === 1) return 'loopback';
  if (first === 0xfe && (second & 0xc0) === 0x80) return 'link-local';
  if (first === 0xff) return 'multicast';
  if (metadataServiceIPv6.every((byte, index) => bytes[index] === byte)) {
    return 'the metadata service of a cloud';
  }
  for (const { prefix, at } of embeddings) {
    if (prefix.every((byte, index) => bytes[index] === byte)) {
      return forbiddenIPv4(bytes.slice(at, at + 4));
    }
  }
  return undefined;
}

const zeros = (count: number): number[] => new Array<number>(count).fill(0);

/** IPv6 prefixes behind which an IPv4 address is written, and where. */
const embeddings: readonly { readonly prefix: readonly number[]; readonly at: number }[] = [
  { prefix: [...zeros(10), 0xff, 0xff], at: 12 }, // ::ffff:0:0/96, mapped (RFC 4291)
  { prefix: zeros(12), at: 12 }, // ::/96, compatible (RFC 4291)
  { prefix: [...zeros(8), 0xff, 0xff, 0, 0], at: 12 }, // ::ffff:0:0:0/96, translated (RFC 2765)
  { prefix: [0x00, 0x64, 0xff, 0x9b, ...zeros(8)], at: 12 }, // 64:ff9b::/96, NAT64 (RFC 6052)
  { prefix: [0x20, 0x02], at: 2 }, // 2002::/16, 6to4 (RFC 3056)
];

function bytesOfIPv4(address: string): number[] {
  return address.split('.').map(Number);
}

function bytesOfIPv6(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const before = groupBytes(head);
  if (tail === undefined) return before;
  const after = groupBytes(tail);
  return [...before, ...zeros(16 - before.length - after.length), ...after];
}

function groupBytes(groups: string): number[] {
  if (groups === '') return [];
  return groups.split(':').flatMap((group) => {
    if (group.includes('.')) return bytesOfIPv4(group);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
