/**
 * To be imported dynamically. The SDK is CommonJS, of which a bundle's dynamic import hands out no
 * names; a module that imports it statically has them.
 */
export {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';
