import { type GivenValue, refuse } from './values.ts';

/** The services of clouds whose address may be another than the usual one. */
const services = [
  'aws-sts',
  'aws-kms',
  'aws-eks',
  'gcp-sts',
  'gcp-iam',
  'gcp-kms',
  'gcp-container',
  'azure-authority',
  'azure-management',
] as const;

type CloudService = (typeof services)[number];

export interface CloudConfig {
  readonly endpoints: Readonly<Partial<Record<CloudService, URL>>>;
  /** PEM file with the authorities of these endpoints; undefined trusts the usual ones. */
  readonly caFile: string | undefined;
}

/** @param endpoints each `SERVICE=URL`; the last one for a service counts */
export function readClouds(
  endpoints: readonly GivenValue[],
  caFile: string | undefined,
): CloudConfig {
  const read = endpoints.map((given) => readEndpoint(given));
  return Object.freeze({ endpoints: Object.freeze(Object.fromEntries(read)), caFile });
}

function readEndpoint(given: GivenValue): [CloudService, URL] {
  const [name, ...rest] = given.text.split('=');
  const service = services.find((each) => each === name);
  const text = rest.join('=');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain =
    url?.protocol === 'https:' &&
    [url.username, url.password, url.search, url.hash].every((part) => part === '') &&
    url.pathname === '/';
  if (service === undefined || url === undefined || !isPlain) {
    throw refuse(given, `SERVICE=https://host, where SERVICE is one of ${services.join(', ')}`);
  }
  return [service, url];
}
