/** The address of a Vault in its one spelling, without a slash at its end; undefined for what is none. */
export function vaultAddress(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, username, password, search, hash, origin, pathname } = new URL(text);
  const plain = username === '' && password === '' && search === '' && hash === '';
  if ((protocol !== 'https:' && protocol !== 'http:') || !plain) return undefined;
  return `${origin}${pathname.replace(/\/+$/, '')}`;
}
