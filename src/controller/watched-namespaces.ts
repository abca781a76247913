/** What a kind is followed in: each of these namespaces, or the whole cluster where none is named. */
export function scopesOf(
  namespaces: readonly string[],
): readonly { readonly namespace?: string }[] {
  return namespaces.length === 0 ? [{}] : namespaces.map((namespace) => ({ namespace }));
}
