import { TerminalError } from '../core/errors.ts';

/** A region's name goes into a host name: nothing else may. */
const regionForm = /^[a-z]{2,4}(-[a-z]{2,12}){1,3}-\d{1,2}$/;

/** Domains of the partitions that are not the public one, by how their regions begin. */
const partitions = [
  { regions: 'cn-', domain: 'amazonaws.com.cn' },
  { regions: 'eusc-', domain: 'amazonaws.eu' },
  { regions: 'us-isob-', domain: 'sc2s.sgov.gov' },
  { regions: 'us-isof-', domain: 'csp.hci.ic.gov' },
  { regions: 'us-iso-', domain: 'c2s.ic.gov' },
  { regions: 'eu-isoe-', domain: 'cloud.adc-e.uk' },
];

/**
 * The regional endpoint of an AWS service.
 * @throws TerminalError for what is no name of a region.
 */
export function awsEndpoint(service: 'sts' | 'eks' | 'kms', region: string): URL {
  if (!regionForm.test(region)) {
    throw new TerminalError(`${JSON.stringify(region.slice(0, 64))} is no name of an AWS region`);
  }
  const domain = partitions.find(({ regions }) => region.startsWith(regions))?.domain;
  return new URL(`https://${service}.${region}.${domain ?? 'amazonaws.com'}`);
}
