import { annotationInvalid } from './cloud-error.ts';
import type { CloudServiceAccount } from './identity.ts';

/** The annotations by which Flux, too, knows who a ServiceAccount is at a cloud. */
const roleArn = 'eks.amazonaws.com/role-arn';
const workloadIdentityProvider = 'gcp.auth.fluxcd.io/workload-identity-provider';
const gcpServiceAccount = 'iam.gke.io/gcp-service-account';
const azureTenant = 'azure.workload.identity/tenant-id';
const azureClient = 'azure.workload.identity/client-id';

const roleForm = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/;
const providerForm =
  /^projects\/\d{1,30}\/locations\/global\/workloadIdentityPools\/[a-z0-9-]{1,100}\/providers\/[a-z0-9-]{1,100}$/;
const emailForm = /^[a-zA-Z0-9-]{1,100}@[a-zA-Z0-9.-]{1,100}\.gserviceaccount\.com$/;
const tenantForm = /^[a-zA-Z0-9][a-zA-Z0-9.-]{0,252}$/;
const guidForm = /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/;

/** ARN of the role that a ServiceAccount takes on at AWS. @throws TerminalError */
export function awsRoleOf(account: CloudServiceAccount): string {
  return needed(account, roleArn, roleForm, 'the ARN of an IAM role');
}

export interface GcpIdentity {
  /** Audience of tokens for the workload identity pool, and what STS calls the provider. */
  readonly audience: string;
  /** Service account that is impersonated then; undefined has the pool's principal act itself. */
  readonly email: string | undefined;
}

/** Who a ServiceAccount is at GCP. @throws TerminalError */
export function gcpIdentityOf(account: CloudServiceAccount): GcpIdentity {
  const provider = needed(
    account,
    workloadIdentityProvider,
    providerForm,
    'projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER',
  );
  const email =
    valueOf(account, gcpServiceAccount) === undefined
      ? undefined
      : needed(account, gcpServiceAccount, emailForm, 'the e-mail address of a service account');
  return { audience: `//iam.googleapis.com/${provider}`, email };
}

export interface AzureIdentity {
  readonly tenantId: string;
  readonly clientId: string;
}

/** Who a ServiceAccount is at Azure. @throws TerminalError */
export function azureIdentityOf(account: CloudServiceAccount): AzureIdentity {
  return {
    tenantId: needed(account, azureTenant, tenantForm, 'the ID of a Microsoft Entra tenant'),
    clientId: needed(account, azureClient, guidForm, 'the client ID of a managed identity'),
  };
}

function needed(
  account: CloudServiceAccount,
  annotation: string,
  form: RegExp,
  meaning: string,
): string {
  const value = valueOf(account, annotation);
  if (value === undefined)
    throw annotationInvalid(account, annotation, `is missing; set it to ${meaning}`);
  if (!form.test(value)) throw annotationInvalid(account, annotation, `must be ${meaning}`);
  return value;
}

function valueOf({ annotations }: CloudServiceAccount, annotation: string): string | undefined {
  if (!Object.hasOwn(annotations, annotation)) return undefined;
  const value = annotations[annotation]?.trim() ?? '';
  return value === '' ? undefined : value;
}
