/** To be imported dynamically; why it is here: see `aws-sts.ts`. */
export { DecryptCommand, KMSClient } from '@aws-sdk/client-kms';
