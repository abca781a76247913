import { isIPv4, isIPv6 } from 'node:net';

/**
 * Why no artifact may be fetched from an IP address, or undefined when it may. Private networks are
 * allowed: artifact servers live there, and network policy owns that boundary (part A 3.2).
 *
 * An IPv6 address that stands for an IPv4 one (mapped, compatible, translated, NAT64, 6to4, Teredo,
 * ISATAP) is judged as that one too.
 */
export function forbiddenAddress(address: string): string | undefined {
  if (isIPv4(address)) return forbiddenIPv4(bytesOfIPv4(address));
  const [withoutZone = ''] = address.split('%');
  if (!isIPv6(withoutZone)) return 'not an IP address';
  return forbiddenIPv6(bytesOfIPv6(withoutZone));
}

/**
 * Where clouds hand out credentials although the address is no link-local one: to whoever asks from the
 * machine.
 */
const metadataServices: ReadonlySet<string> = new Set([
  '100.100.100.200', // Alibaba Cloud
  '168.63.129.16', // Azure
  '192.0.0.192', // Oracle Cloud
  hex(bytesOfIPv6('fd00:ec2::254')), // AWS
  hex(bytesOfIPv6('fd20:ce::254')), // Google Cloud
]);

function forbiddenIPv4(bytes: readonly number[]): string | undefined {
  const [first = 0, second = 0] = bytes;
  if (metadataServices.has(bytes.join('.'))) return 'the metadata service of a cloud';
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
  if (metadataServices.has(hex(bytes))) return 'the metadata service of a cloud';
  for (const embedded of embeddedIPv4(bytes)) {
    const forbidden = forbiddenIPv4(embedded);
    if (forbidden !== undefined) return forbidden;
  }
  return undefined;
}

/** The IPv4 addresses that an IPv6 address may stand for. */
function embeddedIPv4(bytes: readonly number[]): number[][] {
  const found = embeddings
    .filter(({ prefix }) => prefix.every((byte, index) => bytes[index] === byte))
    .map(({ at }) => at.map((index) => bytes[index] ?? 0));
  // Teredo writes the client's address inverted (RFC 4380).
  if (hex(bytes.slice(0, 4)) === '20010000') found.push(bytes.slice(12).map((byte) => byte ^ 0xff));
  // ISATAP has it in the interface identifier, behind any prefix (RFC 5214).
  if (/^0[02]005efe$/.test(hex(bytes.slice(8, 12)))) found.push(bytes.slice(12));
  return found;
}

const last = [12, 13, 14, 15];

/** IPv6 prefixes behind which the bytes of an IPv4 address are written, and where. */
const embeddings: readonly {
  readonly prefix: readonly number[];
  readonly at: readonly number[];
}[] = [
  { prefix: [...zeros(10), 0xff, 0xff], at: last }, // ::ffff:0:0/96, mapped (RFC 4291)
  { prefix: zeros(12), at: last }, // ::/96, compatible (RFC 4291)
  { prefix: [...zeros(8), 0xff, 0xff, 0, 0], at: last }, // ::ffff:0:0:0/96, translated (RFC 2765)
  { prefix: [0x00, 0x64, 0xff, 0x9b, ...zeros(8)], at: last }, // 64:ff9b::/96, NAT64 (RFC 6052)
  { prefix: [0x00, 0x64, 0xff, 0x9b, 0, 1], at: last }, // 64:ff9b:1::/48, local NAT64 (RFC 8215)
  { prefix: [0x00, 0x64, 0xff, 0x9b, 0, 1], at: [6, 7, 9, 10] }, // the same by RFC 6052, 2.2
  { prefix: [0x20, 0x02], at: [2, 3, 4, 5] }, // 2002::/16, 6to4 (RFC 3056)
];

function zeros(count: number): number[] {
  return new Array<number>(count).fill(0);
}

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

function hex(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function groupBytes(groups: string): number[] {
  if (groups === '') return [];
  return groups.split(':').flatMap((group) => {
    if (group.includes('.')) return bytesOfIPv4(group);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
