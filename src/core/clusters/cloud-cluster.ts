/** The managed cluster of a cloud, as a ConfigMap names it at `cluster`. */
export type CloudClusterName =
  | { readonly provider: 'aws'; readonly region: string; readonly name: string }
  | { readonly provider: 'gcp'; readonly path: string }
  | { readonly provider: 'azure'; readonly resourceId: string };

export type CloudProvider = CloudClusterName['provider'];

export const cloudProviders: readonly CloudProvider[] = ['aws', 'azure', 'gcp'];

/** What `cluster` must look like. */
export const clusterForms: Readonly<Record<CloudProvider, string>> = {
  aws: 'arn:aws:eks:REGION:ACCOUNT:cluster/NAME',
  azure:
    '/subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.ContainerService/managedClusters/NAME',
  gcp: 'projects/PROJECT/locations/LOCATION/clusters/NAME',
};

const eks =
  /^arn:aws[a-z-]{0,20}:eks:([a-z]{2,4}(?:-[a-z]{2,12}){1,3}-\d{1,2}):\d{12}:cluster\/([A-Za-z0-9][\w-]{0,99})$/;
const gke =
  /^projects\/[a-z0-9:.-]{1,200}\/locations\/[a-z0-9-]{1,100}\/clusters\/[a-z0-9-]{1,100}$/;
const aks =
  /^\/subscriptions\/[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\/resourceGroups\/[\w().-]{1,90}\/providers\/Microsoft\.ContainerService\/managedClusters\/[A-Za-z0-9][\w-]{0,62}$/i;

/**
 * Reads the name of a managed cluster; undefined for what is none. Its parts go into addresses of the
 * cloud's API, so that nothing else than their characters is let through.
 */
export function readCloudCluster(
  provider: CloudProvider,
  text: string,
): CloudClusterName | undefined {
  switch (provider) {
    case 'aws': {
      const [, region, name] = eks.exec(text) ?? [];
      return region === undefined || name === undefined ? undefined : { provider, region, name };
    }
    case 'gcp':
      return gke.test(text) && !climbs(text) ? { provider, path: text } : undefined;
    case 'azure':
      return aks.test(text) && !climbs(text) ? { provider, resourceId: text } : undefined;
  }
}

/** A URL would lead elsewhere with such parts. */
function climbs(path: string): boolean {
  return /\/\.{1,2}\//.test(path);
}
