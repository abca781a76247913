/** To be imported dynamically; why it is here: see `aws-sts.ts`. */
export { GoogleAuth, IdentityPoolClient } from 'google-auth-library';
