/** The address of an API server in its parsed form, or what is wrong with it. */
export type ServerAddress = { readonly url: URL } | { readonly problem: string };

/**
 * Reads the address of a remote API server: https, and neither credentials nor a query. A path is
 * allowed, behind which a gateway may serve many clusters. Credentials are not quoted.
 */
export function readServerAddress(text: string): ServerAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return { problem: 'is not a URL; write https://host:port' };
  if (url.protocol !== 'https:') {
    const scheme = url.protocol.slice(0, -1);
    return { problem: `has the scheme ${scheme}; only https is accepted` };
  }
  if (url.username !== '' || url.password !== '') {
    return { problem: 'contains credentials; put them into the user of the kubeconfig' };
  }
  if (url.search !== '' || url.hash !== '')
    return { problem: 'has a query or fragment; remove it' };
  return { url };
}
