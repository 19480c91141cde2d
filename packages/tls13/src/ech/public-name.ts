// public_name of an ECHConfig: RFC 9849 section 6.1.7, "preferred name syntax" and nothing that could be read as an IPv4 address.

/** Why a name cannot be a public_name, in words; undefined when it can. */
export function publicNameProblem(name: string): string | undefined {
  if (name.length < 1 || name.length > 255) return `has ${name.length} characters; it must have 1 to 255`
  const labels = name.split(".")
  for (const label of labels) {
    if (label.length === 0) return "begins or ends with a dot, or has two in a row"
    if (label.length > 63) return "has a label of more than 63 characters"
    // LDH labels (RFC 5890 section 2.3.1): letters, digits and hyphens, no hyphen at either end.
    if (!/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i.test(label)) {
      return "has a label that is not made of letters, digits and inner hyphens"
    }
  }
  // "if the final LDH label either consists of all ASCII digits ... or is "0x" or "0X" followed by" hexadecimal digits.
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/i.test(labels.at(-1)!)) return "could be read as an IPv4 address"
  return undefined
}
