import { readFileSync } from 'node:fs';
import type { CloudEndpoints } from './cloud/identity.ts';
import type { Config } from './config/config.ts';

/**
 * Where the clouds are. Logins are remembered for each object that this returns: one for a process.
 * @throws Error when the file with the authorities cannot be read.
 */
export function cloudEndpoints({ clouds }: Pick<Config, 'clouds'>): CloudEndpoints {
  const { endpoints, caFile } = clouds;
  const given = {
    awsSts: endpoints['aws-sts'],
    awsKms: endpoints['aws-kms'],
    awsEks: endpoints['aws-eks'],
    gcpSts: endpoints['gcp-sts'],
    gcpIam: endpoints['gcp-iam'],
    gcpKms: endpoints['gcp-kms'],
    gcpContainer: endpoints['gcp-container'],
    azureAuthority: endpoints['azure-authority'],
    azureManagement: endpoints['azure-management'],
    ca: caFile === undefined ? undefined : readFileSync(caFile, 'utf8'),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
