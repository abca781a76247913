/** To be imported dynamically; why it is here: see `aws-sts.ts`. */
export { KeyManagementServiceClient } from '@google-cloud/kms';
