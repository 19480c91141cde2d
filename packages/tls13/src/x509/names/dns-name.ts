// Host names as RFC 5280 section 4.2.1.6 wants them in dNSName: the preferred name syntax of RFC 1034 section 3.5 as RFC 1123
// section 2.1 changed it, A-labels for internationalised names; and as reference names of RFC 9525.

const strictLabel = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i
/** Also underscores, which names in private networks have; they are no host names by RFC 1123. */
const looseLabel = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i

/** Whether a text is a host name: letters, digits and hyphens, labels of 1 to 63, at most 253 characters, no final dot. */
export function isHostName(text: string, underscores = false): boolean {
  if (text.length === 0 || text.length > 253) return false
  const label = underscores ? looseLabel : strictLabel
  const labels = text.split(".")
  for (const part of labels) if (!label.test(part)) return false
  // A name whose last label is a number is an IPv4 address in some notation (WHATWG URL section 3.5), never a host.
  return !/^(0x[0-9a-f]*|\d+)$/i.test(labels[labels.length - 1]!)
}

/** Whether a text is `*.` and a host name of at least one label: the only wildcard that RFC 9525 section 6.3 allows. */
export function isWildcard(text: string, underscores = false): boolean {
  return text.startsWith("*.") && isHostName(text.slice(2), underscores)
}
