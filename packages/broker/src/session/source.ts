// Whom a login is counted for: the address it comes from. Ports differ with each connection, and of IPv6 one household
// has a whole /64, so neither makes a difference here.

/** The address in "192.0.2.1:50412" or "[2001:db8::1]:50412" without its port; of IPv6 the first 64 bits. */
export function sourceOf(address: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(address)
  if (bracketed !== null) return firstHalf(bracketed[1]!)
  const colon = address.lastIndexOf(":")
  if (colon < 0) return address
  return address.indexOf(":") === colon ? address.slice(0, colon) : firstHalf(address)
}

function firstHalf(address: string): string {
  const [head = "", tail] = address.toLowerCase().replace(/%.*$/, "").split("::")
  const left = groups(head)
  const right = groups(tail ?? "")
  const zeros = tail === undefined ? [] : new Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0")
  return `${[...left, ...zeros, ...right].slice(0, 4).join(":")}::/64`
}

function groups(text: string): string[] {
  return text === "" ? [] : text.split(":").map((group) => group.replace(/^0+(?=.)/, ""))
}
