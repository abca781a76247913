/** To be imported dynamically; why it is here: see `aws-sts.ts`. */
export { DescribeClusterCommand, EKSClient } from '@aws-sdk/client-eks';
