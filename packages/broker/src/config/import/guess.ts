// Whose configuration a file is.

export const products = ["mosquitto", "nanomq", "emqx"] as const
export type Product = (typeof products)[number]

/** Whose it is, and how that is known, as it completes "taken for ..., as ...". Undefined: nobody knows. */
export function guessProduct(
  name: string,
  text: string,
): { readonly product: Product; readonly by: string } | undefined {
  const product = products.find((each) => name.toLowerCase().includes(each))
  if (product !== undefined) return { product, by: "its name says" }
  if (/^\s*(%|\{\s*(allow|deny)\b)/.test(text)) return { product: "emqx", by: "its rules are terms of Erlang" }
  const has = (pattern: RegExp) => pattern.test(text)
  if (
    has(/^\s*(node\.cookie|node\s*\{|dashboard\s*\{|cluster\s*\{|listeners\.\w+\.\w+\.bind\b)/m) ||
    has(/^\s*listeners\.(tcp|ssl|ws|wss)\.\w+\s*\{/m)
  )
    return { product: "emqx", by: "its options are named" }
  if (has(/^\s*(url\s*=\s*nmq-|http_server\b|listeners\.(tcp|ssl|ws|wss)\s*\{|bridges\.mqtt\b|nanomq)/m))
    return { product: "nanomq", by: "its options are named" }
  if (
    has(
      /^(listener|port|allow_anonymous|password_file|acl_file|per_listener_settings|persistence|include_dir|connection|log_dest|max_\w+) +\S/m,
    )
  )
    return { product: "mosquitto", by: "its options are named" }
  return undefined
}
