/** To be imported dynamically; why it is here: see `aws-sts.ts`. */
export { CryptographyClient } from '@azure/keyvault-keys';
